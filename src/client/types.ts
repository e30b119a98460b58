import type { Abortable } from '../common/index.ts'
import type { EventType, NodeEventType, ProviderSource, WorkloadState } from '../generated/fbs/index.ts'

/** A port of a copy as people read it. */
export interface PlacementPort {
  readonly containerPort: number
  readonly hostPort: number
  readonly hostIp?: string
  readonly protocol: string
}

/** What a copy has used, its containers together. */
export interface PlacementStats {
  readonly at: number
  readonly cpuNanos: number
  readonly memoryBytes: number
  /** 0: none. */
  readonly memoryLimitBytes: number
  readonly networkRxBytes: number
  readonly networkTxBytes: number
  readonly blockReadBytes: number
  readonly blockWriteBytes: number
  readonly pids: number
}

/** One copy on one node. */
export interface Placement {
  readonly peerId: string
  readonly node: string
  readonly workloadId: string
  readonly ordinal: number
  readonly state: WorkloadState
  readonly ports: readonly PlacementPort[]
  readonly engine?: string
  /** Only when they were asked for. */
  readonly stats?: PlacementStats
  /** It ran already with the same content; nothing was done. */
  readonly unchanged?: boolean
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string }
}

export interface ManifestResult {
  readonly manifestId: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
  /** u64 as a decimal string. */
  readonly version: string
  /** Peer ID. */
  readonly owner: string
  readonly placements: readonly Placement[]
  /** It did not run on some node, and what ran before was applied again, as `version`. Left out otherwise. */
  readonly rolledBack?: { readonly from: string; readonly to: string }
  /** For people: where else it is going to run, though nothing failed. Left out otherwise. */
  readonly note?: string
}

export interface ApplyOptions extends Abortable {
  /** Peer ID, member name or full address of each node that takes copies; none: the mesh is asked who has room. */
  readonly to?: readonly string[]
  /**
   * Of what is fenced, others let its copies run than those of the version before. Only for when a majority of those is gone for good: what
   * runs where they are cut off would run twice. @default false
   */
  readonly newFenceKeepers?: boolean | undefined
  readonly onProgress?: (event: ProgressEvent) => void
}

export interface DeleteOptions extends Abortable {
  /** Lasting volumes too, and what is in them. @default false */
  readonly volumes?: boolean
  readonly onProgress?: (event: ProgressEvent) => void
}

/** Something happened to a copy. */
export interface ProgressEvent extends Placement {
  readonly manifestId: string
  readonly name: string
}

/** What brings copies of a manifest back when the nodes that run it are gone. */
export interface Recoverable {
  /** Nodes that keep its record and ciphertext. */
  readonly keepers: number
  /** Shares that rebuild its content key; 0: there are none. */
  readonly threshold: number
  readonly holders: number
  /** Of the holders, those seen alive. */
  readonly liveHolders: number
  /** Live nodes that the content key is sealed to directly. */
  readonly standbys: number
}

/** What a manifest looks like on the nodes that hold it. */
export interface ManifestStatusView extends ManifestResult {
  readonly replicas: number
  /** Copies that should run and do not, as far as the nodes that answered tell. */
  readonly missing: number
  /** With one node more gone it may not come back. Left out otherwise. */
  readonly atRisk?: boolean
  /** undefined: nobody keeps it. */
  readonly recoverable?: Recoverable
  /** Names of nodes that did not answer and may hold copies, too. */
  readonly unanswered?: readonly string[]
}

export interface FoundProvider {
  readonly peerId: string
  readonly node: string
  readonly engine: string
  readonly workloadId: string
  readonly state: WorkloadState
  readonly source: ProviderSource
  /** Since the provider signed it, ms. */
  readonly ageMs: number
  readonly ports: readonly PlacementPort[]
}

export interface LogLineView {
  readonly peerId: string
  readonly node: string
  readonly workloadId: string
  readonly container: string
  readonly stream: 'stdout' | 'stderr'
  /** ISO 8601. */
  readonly timestamp: string
  readonly line: string
}

/** Something that happened to a copy. */
export interface WorkloadEventView {
  readonly peerId: string
  readonly node: string
  readonly type: EventType
  /** ISO 8601, by the node's clock. */
  readonly timestamp: string
  readonly manifestId: string
  readonly version: string
  /** Kind, name and namespace are absent when the node has forgotten the manifest. */
  readonly kind?: string
  readonly name?: string
  readonly namespace?: string
  readonly workloadId: string
  readonly ordinal: number
  readonly reason?: string
}

/** Something that happened to a node. */
export interface NodeEventView {
  readonly peerId: string
  readonly node: string
  readonly type: NodeEventType
  /** ISO 8601; of joined and left by that node's own clock, else by the one that saw it. */
  readonly timestamp: string
  /** Name of the node that saw it. */
  readonly seenBy: string
}

export type EventView = WorkloadEventView | NodeEventView

export interface EventsQuery extends Abortable {
  readonly follow?: boolean
  readonly sinceMs?: number
}

export interface LogsQuery extends Abortable {
  readonly follow?: boolean
  readonly tail?: number
  readonly sinceMs?: number
  readonly container?: string
}
