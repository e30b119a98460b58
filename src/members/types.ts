import type {
  ComponentLogger,
  Libp2pEvents,
  PeerStore,
  PrivateKey,
  Startable,
  TypedEventTarget
} from '@libp2p/interface'
import type { AddressManager, ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { MemberState, NodeEventType } from '../generated/fbs/index.ts'
import type { Network, SigningKey } from '../identity/index.ts'
import type { Membership, Revocation } from '../trust/index.ts'
import type { Conduct, Doors, Gossip } from '../wire/index.ts'

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
  /** When its process started, by its own clock; undefined: not said. */
  readonly startedAtMs?: number
  /** X-Wing public key, Uint8Array(1216). */
  readonly sealingKey: Uint8Array
  readonly sealingEpoch: number
  readonly issuedAtMs: number
  /** After this the statement is not believed any more. */
  readonly notAfterMs: number
  /** Peer IDs that signed a membership of this node which is valid now. Whether one is a root, the reader decides. */
  readonly memberOf: readonly string[]
  /** The same with the grants they rest on; whether one was revoked, the reader decides, too. */
  readonly memberships: readonly Membership[]
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
  /** Since its last sign of life to this node; undefined: this node itself, or nothing is known. */
  readonly silentMs?: number | undefined
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
  /** When this process started, ms since epoch. @default not said */
  readonly startedAtMs?: number
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
  /** Revocations of these grants, told to owners with the members that hold them. @param ids of grants @default none */
  readonly revocationsOf?: (ids: ReadonlySet<string>) => readonly Revocation[]
  /** What is held against neighbours. @default one of this service alone, whose bans last until they dial again */
  readonly conduct?: Conduct
  /** @default the key of the libp2p node */
  readonly key?: SigningKey
  readonly now?: () => number
}

export interface MemberChange {
  readonly peerId: string
}

/** Peer IDs. */
export interface NeighboursReplaced {
  readonly before: readonly string[]
  readonly now: readonly string[]
}

/** Something happened to a node, as this one saw it. */
export interface NodeEvent {
  /** joined: it started, or was heard of for the first time · back: it was called dead, and answers again */
  readonly type: NodeEventType
  /** Of joined and left by that node's own clock. */
  readonly atMs: number
  readonly peerId: string
  readonly name: string
}

export interface MembersEvents {
  /** Also kept for a while: {@link MembersService.recentEvents}. */
  'member:event': CustomEvent<NodeEvent>
  /** A node was heard of for the first time, or said something new of itself. */
  'member:update': CustomEvent<MemberView>
  /** It does not answer, or the connection to it is lost. */
  'member:suspect': CustomEvent<MemberChange>
  /** It does not answer, and nobody who was asked reaches it. Its connections are closed. */
  'member:dead': CustomEvent<MemberChange>
  /** It stopped in order and said so. */
  'member:left': CustomEvent<MemberChange>
  /** All that this node was connected to are gone, and others are there: it may be cut off from the rest. Looked at every minute. */
  'neighbours:replaced': CustomEvent<NeighboursReplaced>
  /** One of these three turned out to be there, or came back. */
  'member:alive': CustomEvent<MemberChange>
}

export interface MembersService extends Startable, TypedEventTarget<MembersEvents> {
  self(): MemberView
  /** Everybody heard of and not expired, this node included. */
  list(): MemberView[]
  get(peerId: string): MemberView | undefined
  /** What happened to other nodes since this one started, oldest first, bounded. */
  recentEvents(): readonly NodeEvent[]
  /** Whether those it is connected to are still those of before; done every minute by itself. */
  lookAround(): void
  /** Says anew what this node is, because something in {@link MembersInit.describe} changed. */
  refresh(): void
}
