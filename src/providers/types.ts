import type { Startable } from '@libp2p/interface'
import type { Abortable } from '../common/index.ts'
import type { ProviderSource, Workload, WorkloadInit } from '../generated/fbs/index.ts'
import type { Network, SigningKey } from '../identity/index.ts'
import type { Doors } from '../wire/index.ts'

/** What this node says of a manifest it runs; read anew whenever somebody asks. */
export interface ProvidedManifest {
  readonly version: number
  readonly workloads: readonly WorkloadInit[]
}

/** A provider as found: its own signed statement, checked. */
export interface ProviderView {
  readonly peerId: string
  readonly nodeName: string
  readonly manifestId: Uint8Array
  readonly version: number
  readonly workloads: readonly Workload[]
  /** Where the answer came from. */
  readonly source: ProviderSource
  /** When the provider signed it, ms since epoch by the provider's clock. */
  readonly issuedAtMs: number
  /** Until then it may be believed to run. */
  readonly leaseUntilMs: number
  /** SignedObject of kind provider. */
  readonly statement: Uint8Array
}

export interface FindOptions extends Abortable {
  /** Stop when this many are found. @default {@link MAX_PROVIDERS} */
  readonly limit?: number
}

export interface ProvidersInit {
  readonly network: Network
  /** Name shown to others. @default the peer ID's last 8 characters */
  readonly nodeName?: string
  /** Changes each time the node starts. @default random */
  readonly bootId?: Uint8Array
  /** Where owners ask; undefined: nobody may. */
  readonly doors?: Doors
  /** @default the key of the libp2p node */
  readonly key?: SigningKey
  readonly now?: () => number
}

export interface ProvidersService extends Startable {
  /**
   * Says that this node provides a manifest, from now until {@link withdraw}: in the DHT (refreshed), and to whoever asks.
   * @param manifestId Uint8Array(36)
   * @param describe called for every answer; undefined means "not any more"
   */
  announce(manifestId: Uint8Array, describe: () => ProvidedManifest | undefined): void
  /** Denies it from now on and stops refreshing. DHT records elsewhere go with their TTL; asked, this node says no. */
  withdraw(manifestId: Uint8Array): void
  /** Whether the DHT took the announcement, or there is nobody to tell. */
  isAnnounced(manifestId: Uint8Array): boolean
  /** Who runs it, each confirmed by the provider itself. Best first: this node, then the quickest to answer. Never throws for "nobody". */
  find(manifestId: Uint8Array, options?: FindOptions): Promise<ProviderView[]>
  /** The same, one by one as they answer. */
  findEach(manifestId: Uint8Array, options?: FindOptions): AsyncIterable<ProviderView>
}
