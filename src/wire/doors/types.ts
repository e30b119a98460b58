import type { OpenedEnvelope } from '../../envelope/index.ts'
import type { Responder } from './responder.ts'

/** A request, as far as a door may tell of it. */
export interface Asked {
  /** Peer ID; undefined: not even the header could be read. */
  readonly author?: string
  /** The connection's peer ID, or "local". */
  readonly transport: string
  readonly protocol: string
}

export interface Refused extends Asked {
  readonly code: string
  /** Which rule refused, where the code alone does not say it. */
  readonly rule?: string
  /** The author's signature was checked and fits; else `author` is only claimed. */
  readonly verified: boolean
}

/** A request that passed every check: it is for this node, fresh, signed by an owner who may do this. */
export interface OwnerRequest<T> {
  readonly author: Uint8Array
  readonly authorPeerId: string
  readonly payload: T
  readonly envelope: OpenedEnvelope
  readonly reply: Responder
  /** Fires when the asker is gone, the answer's deadline has passed, or the node stops. */
  readonly signal: AbortSignal
}
