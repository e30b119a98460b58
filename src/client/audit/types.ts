import type { Abortable } from '../../common/index.ts'
import type { AuditWhat } from '../../generated/fbs/index.ts'

/** A line of a node's audit log as people read it. */
export interface AuditEntryView {
  readonly sequence: number
  /** ISO 8601, by the node's clock. */
  readonly timestamp: string
  readonly what: AuditWhat
  /** The protocol, or what happened. */
  readonly action: string
  /** Peer ID. */
  readonly author?: string
  /** false: the author is only claimed. */
  readonly verified: boolean
  /** Peer ID at the other end of the connection, or "local". */
  readonly transport?: string
  readonly manifestId?: string
  readonly version?: string
  readonly code?: string
  readonly rule?: string
  /** How many like it the entry stands for. */
  readonly count: number
  /** ISO 8601; when the first of them was, where there are several. */
  readonly since?: string
}

export interface AuditQuery extends Abortable {
  readonly sinceMs?: number
  /** Only what was refused. @default false */
  readonly refused?: boolean
}

/** Where a log is not what it should be. */
export interface AuditFaultView {
  /** The entry; of two that do not fit together the earlier one. */
  readonly sequence: number
  readonly reason: string
  readonly message: string
  /** Names of the nodes whose word it rests on; none: the log's own. */
  readonly witnesses: readonly string[]
}

export interface AuditWitnessView {
  readonly peerId: string
  readonly node: string
  /** Heads of that log which it holds. */
  readonly heads: number
  /** Of these, how many are what the log says. */
  readonly agree: number
  /** Of these, how many are from before what the node keeps. */
  readonly older: number
}

export interface AuditVerdict {
  readonly peerId: string
  readonly node: string
  readonly intact: boolean
  readonly entries: number
  /** First and last entry; absent when there is none. */
  readonly first?: { readonly sequence: number; readonly timestamp: string }
  readonly last?: { readonly sequence: number; readonly timestamp: string }
  readonly faults: readonly AuditFaultView[]
  /** Those that hold heads of it. */
  readonly witnesses: readonly AuditWitnessView[]
  /** Names of nodes that did not answer and may hold some. */
  readonly unanswered?: readonly string[]
}
