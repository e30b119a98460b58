import type { ComponentLogger, Metrics, PeerId, Startable } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { Network, SigningKey } from '../identity/index.ts'
import type { Store } from '../store/index.ts'
import type { Grant, GrantChain, Revocation, Successors, TrustState } from '../trust/index.ts'
import type { Conduct, Doors } from '../wire/index.ts'

/** What libp2p hands in. */
export interface GuestsComponents {
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly logger: ComponentLogger
  readonly metrics?: Metrics
}

/** Peer IDs. */
export interface OwnersChange {
  readonly add: readonly string[]
  readonly remove: readonly string[]
  /** One key takes the place of another; it is in `add`, too. */
  readonly succession?: { readonly from: string; readonly to: string }
  /** For this node, checked. */
  readonly membership?: Uint8Array
}

export interface GuestsInit {
  readonly network: Network
  readonly key: SigningKey
  /** Peer IDs: the roots that grants must come from; may change. */
  readonly owners: ReadonlySet<string>
  /** Owners' keys that others took the place of; may change. @default none */
  readonly successors?: Successors
  readonly store: Store
  /** Makes the node obey others from now on, on disk before it resolves. @default nobody may change it */
  readonly changeOwners?: (change: OwnersChange) => Promise<void>
  /** Where people show, revoke and list grants; undefined: nobody may. */
  readonly doors?: Doors
  /** Whether a node is worth telling. @default every connected one */
  readonly isNode?: (peer: PeerId) => boolean
  /** What is held against neighbours. @default nothing */
  readonly conduct?: Conduct
  readonly now?: () => number
}

export interface GuestsService extends Startable {
  /** What doors decide from, as it is now. */
  trust(): TrustState
  /** Whether a link of a chain, or one above it, was revoked by somebody who may. */
  isRevoked(link: Grant, chain: GrantChain): boolean
  /** Revocations of these grants, for passing on. @param ids of grants */
  revocationsOf(ids: ReadonlySet<string>): readonly Revocation[]
}
