import type {
  ComponentLogger,
  Libp2pEvents,
  PeerId,
  PeerStore,
  PrivateKey,
  Startable,
  TypedEventTarget
} from '@libp2p/interface'
import type { AddressManager, ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { MemberState } from '../generated/fbs/index.ts'
import type { Network, SigningKey } from '../identity/index.ts'
import type { Doors } from '../wire/index.ts'

/** What a node says of itself, checked: signed by its identity, for this network, not expired. */
export interface NodeView {
  readonly publicKey: Uint8Array
  readonly peerId: string
  readonly name: string
  /** Multiaddrs without /p2p. */
  readonly addresses: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly engines: readonly string[]
  /** Of the software. */
  readonly version: string
  readonly bootId: Uint8Array
  /** false: takes no workloads. */
  readonly scheduling: boolean
  /** It has stopped in order. */
  readonly leaving: boolean
  /** It runs nothing for anybody. */
  readonly idle: boolean
  /** X-Wing public key, Uint8Array(1216). */
  readonly sealingKey: Uint8Array
  readonly sealingEpoch: number
  readonly issuedAtMs: number
  /** After this the statement is not believed any more. */
  readonly notAfterMs: number
  /** Peer IDs that signed a membership of this node which is valid now. Whether one is a root, the reader decides. */
  readonly memberOf: readonly string[]
  /** The signed bytes, for passing on. */
  readonly statement: Uint8Array
}

/** A node as this one sees it. */
export interface MemberView extends NodeView {
  readonly self: boolean
  readonly connected: boolean
  /** Connected, and through a relay only. */
  readonly relayed: boolean
  /**
   * alive · suspect: does not answer, others are being asked · dead: nobody asked reaches it · left: it said goodbye. This
   * node's own opinion. The last two are shown until their last statement expires.
   */
  readonly state: MemberState
  readonly lastSeenMs: number
  /** undefined: not measured. */
  readonly roundTripMs?: number
}

/** What the node says of itself apart from its addresses; read anew for each statement. */
export interface SelfDescription {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly engines: readonly string[]
  readonly version: string
  readonly bootId: Uint8Array
  readonly scheduling: boolean
  /** Runs nothing for anybody, so others may probe it less often. @default false */
  readonly idle?: boolean
  readonly sealingKey: Uint8Array
  readonly sealingEpoch: number
  /** Membership grants for this node. */
  readonly memberships: readonly Uint8Array[]
}

/** What libp2p hands in. */
export interface MembersComponents {
  readonly privateKey: PrivateKey
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly addressManager: AddressManager
  readonly peerStore: PeerStore
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
  readonly pubsub?: Gossip
}

export interface MembersInit {
  readonly network: Network
  readonly describe: () => SelfDescription
  /** Where owners ask for the list; undefined: nobody may. */
  readonly doors?: Doors
  /** Spread statements by gossipsub (the service must be called `pubsub`) too, not only by exchange. @default false */
  readonly gossip?: boolean
  /** Full addresses dialled at the start and whenever none of their nodes is connected. @default none */
  readonly bootstrap?: readonly string[]
  /** @default the key of the libp2p node */
  readonly key?: SigningKey
  readonly now?: () => number
}

/** The little of a gossip service that we use, so that the implementation stays behind one import (src/node). */
export interface Gossip {
  publish(topic: string, data: Uint8Array): Promise<unknown>
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  addEventListener(type: 'message', listener: (event: GossipEvent) => void): void
  removeEventListener(type: 'message', listener: (event: GossipEvent) => void): void
  /** Asked before a message is passed on, by topic: a {@link GossipJudge}, which the implementation types otherwise. */
  readonly topicValidators?: { set(topic: string, judge: never): unknown; delete(topic: string): unknown }
}

export type GossipJudge = (neighbour: PeerId, message: GossipMessage) => GossipVerdict

/** "reject" is held against the neighbour, "ignore" is not; neither is passed on. */
export type GossipVerdict = 'accept' | 'reject' | 'ignore'

export interface GossipMessage {
  readonly topic: string
  readonly data: Uint8Array
  /** Who published it, its signature checked. */
  readonly from?: PeerId
}

export interface GossipEvent {
  readonly detail: { readonly topic: string; readonly data: Uint8Array }
}

export interface MemberChange {
  readonly peerId: string
}

export interface MembersEvents {
  /** A node was heard of for the first time, or said something new of itself. */
  'member:update': CustomEvent<MemberView>
  /** It does not answer, or the connection to it is lost. */
  'member:suspect': CustomEvent<MemberChange>
  /** It does not answer, and nobody who was asked reaches it. Its connections are closed. */
  'member:dead': CustomEvent<MemberChange>
  /** It stopped in order and said so. */
  'member:left': CustomEvent<MemberChange>
  /** One of these three turned out to be there, or came back. */
  'member:alive': CustomEvent<MemberChange>
}

export interface MembersService extends Startable, TypedEventTarget<MembersEvents> {
  self(): MemberView
  /** Everybody heard of and not expired, this node included. */
  list(): MemberView[]
  get(peerId: string): MemberView | undefined
  /** Says anew what this node is, because something in {@link MembersInit.describe} changed. */
  refresh(): void
}
