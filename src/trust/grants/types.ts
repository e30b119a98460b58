import type { Action as GrantedAction } from '../../generated/fbs/index.ts'

/** What a grant lets its subject do. `read` is status and events, and comes with every other one but `member`; `admin` is all. */
export type GrantAction = Exclude<GrantedAction, 'none'>

/** Of everything the subject runs on one node together. undefined: no bound. */
export interface Quota {
  readonly cpuMillis?: number
  readonly memoryBytes?: number
  readonly storageBytes?: number
  readonly workloads?: number
}

/** What is granted. Along a chain each is at most what the one before is. */
export interface GrantTerms {
  readonly actions: readonly GrantAction[]
  /** none: all */
  readonly namespaces: readonly string[]
  /** Image name prefixes, whole path segments: "registry.example/team". none: all */
  readonly registries: readonly string[]
  readonly quota: Quota
  /** Links that may follow below; 0: not to be passed on. */
  readonly delegations: number
  /** ms since epoch. */
  readonly notBefore: number
  readonly notAfter: number
}

/** One link of a chain, its signature checked. */
export interface Grant extends GrantTerms {
  /** Of the signed object, hexadecimal: what a revocation names. */
  readonly id: string
  /** Peer IDs. */
  readonly issuer: string
  readonly subject: string
  /** Uint8Array(32): what follows below needs a proof by this key. */
  readonly inviteKey?: Uint8Array
  /** The subject gives nothing away under {@link inviteKey} after it, ms since epoch. */
  readonly redeemBefore: number
}

/** Grants from a root to the subject. Whether the root is one, whether it is time, and what is revoked, the reader decides. */
export interface GrantChain {
  /** Peer ID of who signed the first link. */
  readonly root: string
  /** Peer ID of whom the last link is for. */
  readonly subject: string
  /** Root's first; never empty. */
  readonly links: readonly Grant[]
  /** Those of the last link. */
  readonly terms: GrantTerms
  readonly bytes: Uint8Array
}
