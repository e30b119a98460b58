import type {
  ComponentLogger,
  ContentRouting,
  Libp2pEvents,
  Metrics,
  PeerStore,
  PrivateKey,
  Startable,
  TypedEventTarget
} from '@libp2p/interface'
import type { AddressManager, ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { Datastore } from 'interface-datastore'
import type { Abortable } from '../common/index.ts'
import type { ProviderSource, Workload, WorkloadInit } from '../generated/fbs/index.ts'
import type { Network, SigningKey } from '../identity/index.ts'
import type { Conduct, Doors, Gossip, PeerRequests } from '../wire/index.ts'

/** What this node says of a manifest it runs; read anew whenever somebody asks. */
export interface ProvidedManifest {
  readonly version: number
  /** The newest version this node knows of, when it is not the one that runs: it was rolled back. */
  readonly highest?: number
  readonly workloads: readonly WorkloadInit[]
}

/** A provider as found: its own signed statement, checked. */
export interface ProviderView {
  readonly peerId: string
  readonly nodeName: string
  readonly manifestId: Uint8Array
  readonly version: number
  /** The newest version that the provider knows of; above `version` when that was rolled back there, or is just being started. */
  readonly highest: number
  /** Changes with each start of the provider. */
  readonly bootId: Uint8Array
  /** Of the provider's node. */
  readonly labels: Readonly<Record<string, string>>
  readonly capabilities: readonly string[]
  readonly workloads: readonly Workload[]
  /** Where the answer came from; "stale" is what was known before and nobody could confirm now. */
  readonly source: ProviderSource
  /** When the provider signed it, ms since epoch by the provider's clock. */
  readonly issuedAtMs: number
  /** Until then it may be believed to run. */
  readonly leaseUntilMs: number
  /** SignedObject of kind provider. */
  readonly statement: Uint8Array
}

export interface FindOptions extends Abortable {
  /** Only providers with a copy on this engine. */
  readonly engine?: string
  /** Only providers whose node has all of these labels. */
  readonly labels?: Readonly<Record<string, string>>
  /** Only providers that run this version of the manifest or a newer one. */
  readonly minVersion?: number
  /** Ask each provider now, also where a lease would do. @default false */
  readonly fresh?: boolean
  /** Stop when this many are found, at most MAX_KNOWN_PROVIDERS. @default {@link MAX_PROVIDERS} */
  readonly limit?: number
  /** Peer IDs of nodes that are asked first, because they were heard to run it. */
  readonly likely?: readonly string[]
  /** Stop when this says so of what is found. @default never */
  readonly enough?: (found: readonly ProviderView[]) => boolean
}

/** What libp2p hands in. */
export interface ProvidersComponents {
  readonly privateKey: PrivateKey
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly addressManager: AddressManager
  readonly contentRouting: ContentRouting
  readonly peerStore: PeerStore
  readonly datastore: Datastore
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
  readonly metrics?: Metrics
  /** Needed with {@link ProvidersInit.gossip}. */
  readonly pubsub?: Gossip
}

export interface ProvidersInit {
  readonly network: Network
  /** Name shown to others. @default the peer ID's last 8 characters */
  readonly nodeName?: string
  /** Changes each time the node starts. @default random */
  readonly bootId?: Uint8Array
  /** Labels of this node: said of what it provides, and what makes another one near. @default none */
  readonly labels?: Readonly<Record<string, string>>
  /** What can be done with a workload here beside running it. @default none */
  readonly capabilities?: readonly string[]
  /** Whether a node is a member, whose word counts. @default everybody in this network */
  readonly isMember?: (peerId: string) => boolean
  /** Whether a node is known to be gone, so that nobody waits for it. @default nobody */
  readonly isGone?: (peerId: string) => boolean
  /** Spread changes by gossipsub (the service must be called `pubsub`) too. @default false */
  readonly gossip?: boolean
  /** Tell the DHT and others what this node runs. False: found only by nodes that ask it. @default true */
  readonly announce?: boolean
  /** Where owners ask; undefined: nobody may. */
  readonly doors?: Doors
  /** What is held against neighbours. @default one of this service alone, whose bans last until they dial again */
  readonly conduct?: Conduct
  /** Questions between nodes. @default over libp2p's streams */
  readonly wire?: PeerRequests
  /** @default the key of the libp2p node */
  readonly key?: SigningKey
  readonly now?: () => number
}

export interface ProvidersService extends Startable {
  /** What a node said does not count any more until it says so again: it is gone, or cannot be reached. */
  lose(peerId: string): void
  /** It is there again: whoever was sought while it was not may run on it, too, also when its connection was never lost. */
  regain(peerId: string): void
  /**
   * Says that this node provides a manifest, from now until {@link withdraw}: in the DHT (refreshed), and to whoever asks.
   * @param manifestId Uint8Array(36)
   * @param describe called for every answer; undefined means "not any more"
   */
  announce(manifestId: Uint8Array, describe: () => ProvidedManifest | undefined): void
  /** Denies it from now on and stops refreshing. DHT records elsewhere go with their TTL; asked, this node says no. */
  withdraw(manifestId: Uint8Array): void
  /** Who counts as running it now without being asked: this node, and whoever's lease holds. */
  leased(manifestId: Uint8Array): ProviderView[]
  /** How many nodes the last search for it was to ask and heard nothing of: they may run it, too. */
  unheard(manifestId: Uint8Array): number
  /** Whether the DHT took the announcement, or there is nobody to tell. */
  isAnnounced(manifestId: Uint8Array): boolean
  /**
   * Who runs it, each confirmed by the provider itself within a lease. Best first: this node, the same zone, the shortest way, the
   * freshest word; stale ones last, and only when nobody could be asked. Never throws for "nobody".
   */
  find(manifestId: Uint8Array, options?: FindOptions): Promise<ProviderView[]>
  /** The same, one by one as they answer, not sorted. */
  findEach(manifestId: Uint8Array, options?: FindOptions): AsyncIterable<ProviderView>
}
