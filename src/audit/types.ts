import type { AuditEntryInit } from '../generated/fbs/index.ts'

/** A request as the door that took it saw it. */
export interface AuditedRequest {
  readonly protocol: string
  /** Peer ID; undefined: the message could not be read. */
  readonly author?: string
  /** Peer ID at the other end of the connection, or "local". */
  readonly transport: string
}

export interface AuditedRefusal extends AuditedRequest {
  readonly code: string
  /** Where the code alone does not say it. */
  readonly rule?: string
  /** The author's signature was checked and fits. @default false: it is only claimed */
  readonly verified?: boolean
}

/** Something happened to a manifest on this node. */
export interface AuditedDeed {
  readonly type: string
  readonly manifestId?: Uint8Array
  readonly version?: number
}

/** An entry before it has its place in the chain. */
export type EntryDraft = Omit<AuditEntryInit, 'sequence' | 'previous'> & { readonly at: number }

/** An entry as it is stored. */
export interface StoredEntry {
  readonly sequence: number
  /** A FlatBuffer AuditEntry. */
  readonly bytes: Uint8Array
}

/** A place in the chain. */
export interface ChainPoint {
  /** 0: before the first entry. */
  readonly sequence: number
  /** Uint8Array(32) */
  readonly hash: Uint8Array
}

/** How far the log goes; what is on disk. */
export interface LogState extends ChainPoint {
  /** When it got this long; never twice the same, never back. */
  readonly atMs: number
  /** Entries up to here are not kept any more. */
  readonly cut: ChainPoint
}
