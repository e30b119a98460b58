import type { Startable } from '@libp2p/interface'

/** Where a node can be dialled. */
export interface Whereabouts {
  readonly peerId: string
  /** Multiaddrs without /p2p/PEERID at the end. */
  readonly addresses: readonly string[]
}

export interface ReachInit {
  /** Reserve places at relays, so that nodes which cannot dial this one come through them. @default false */
  readonly reserve?: boolean
  /** Full addresses of relays as a person wrote them; those of others are learnt. @default none */
  readonly known?: readonly string[]
  /** Where a member is; undefined: it is none (any more). Only members are dialled again. */
  readonly find: (peerId: string) => Whereabouts | undefined
  readonly now?: () => number
}

export interface ReachService extends Startable {
  /** Peer IDs of the relays that keep a place for this node. */
  relays(): string[]
  /** A node of this network was found near by, such as by mDNS: dialled once when it is not connected. */
  found(node: Whereabouts): void
}
