import type { Startable, TypedEventTarget } from '@libp2p/interface'
import type { Abortable } from '../common/index.ts'
import type { HeldVersionInit, SealedKey, WorkloadState } from '../generated/fbs/index.ts'
import type { Network, SigningKey } from '../identity/index.ts'
import type {
  CronPlan,
  JobPlan,
  PolicyLimits,
  RestartPolicy,
  SandboxPolicy,
  WorkloadKind
} from '../manifest/index.ts'
import type { MembersService } from '../members/index.ts'
import type { EnginePort, EngineRegistry, Guard } from '../runtime/index.ts'
import type { Resealer, SealingKeyring } from '../sealing/index.ts'
import type { Store } from '../store/index.ts'
import type { TrustState } from '../trust/index.ts'
import type { Doors } from '../wire/index.ts'
import type { Assignment, Bundle } from './accept/accept-copies.ts'
import type { NodeResources } from './copies/capacity.ts'
import type { JobProgress } from './copies/job.ts'
import type { FaultPoint } from './fault-points.ts'
import type { OpenedRecord } from './open-record.ts'
import type { Claimant, Freeable } from './resources/preempt.ts'

/** One copy on this node, as written to disk. */
export interface StoredWorkload {
  readonly workloadId: string
  readonly ordinal: number
  readonly engine: string
  readonly state: WorkloadState
  readonly ports: readonly EnginePort[]
  readonly startedAtMs?: number
  readonly message?: string
  /** It does not run because its lease was over, and starts again when it may. */
  readonly fenced?: boolean | undefined
  /** Of a Job or CronJob: where it stands. */
  readonly job?: JobProgress
  /** Of a CronJob: the slot it was started for, ms since epoch. */
  readonly slotMs?: number
  /** Of a Job or CronJob: when it was over. */
  readonly endedAtMs?: number
}

/** A version that ran here before, as far as it is needed to run it again. */
export type PastRelease = Pick<Release, 'version' | 'record' | 'content'>

/** One version of a manifest on this node, as written to disk. */
export interface Release {
  readonly version: number
  /** sha256 of the signed record's body: two different ones at one version are equivocation. */
  readonly recordDigest: Uint8Array
  /** SignedObject of kind record. */
  readonly record: Uint8Array
  /** ms since epoch; a tombstone may be forgotten after it. */
  readonly notAfterMs: number
  /** Absent in a tombstone. */
  readonly content?: {
    readonly ciphertext: Uint8Array
    readonly sealedKey: SealedKey
    /** sha256 of the decrypted document: tells whether a newer version changed anything. */
    readonly digest: Uint8Array
    /** sha256 of what of it a running copy depends on: tells whether copies must be replaced. */
    readonly copyDigest?: Uint8Array
  }
  readonly kind: WorkloadKind
  readonly name: string
  readonly namespace: string
  readonly replicas: number
  readonly restartPolicy: RestartPolicy
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number
  /** Of one copy; 0 where the manifest says nothing. */
  readonly cpuMillis: number
  readonly storageBytes: number
  readonly memoryBytes: number
  readonly acceptedAtMs: number
  /** What the sandbox policy gave to containers that state no limits. */
  readonly defaultLimits?: PolicyLimits
  /** Those with a higher one may take its room. @default 0 */
  readonly priority?: number
  /** How many copies there are follows what they use, so that is measured. */
  readonly autoscaled?: boolean
  readonly job?: JobPlan
  readonly cron?: CronPlan
  /** Of a CronJob: the last slot that was started or passed over. */
  readonly lastSlotMs?: number
  /** Of a CronJob: which copies of each run this node starts, and on what. */
  readonly slotOrdinals?: readonly number[]
  readonly slotEngine?: string
  /** Of a CronJob: slots that another node began and did not finish, to be run here. */
  readonly openSlots?: readonly number[]
  readonly workloads: readonly StoredWorkload[]
}

/** One manifest on this node: what runs, and what is about to take its place. Deleted ones stay as a tombstone. */
export interface StoredManifest extends Release {
  readonly manifestId: Uint8Array
  /** Peer ID. */
  readonly owner: string
  readonly tombstone: boolean
  /** The newest version ever accepted, also when it was rolled back: nothing older or equal is taken any more. */
  readonly highest: { readonly version: number; readonly recordDigest: Uint8Array }
  /** The machine's owner stopped it: who that was, and until when no newer version is taken. */
  readonly evicted?: { readonly by: string; readonly untilMs: number }
  /** A newer version whose copies are being started while the old ones still run. */
  readonly next?: Release
  /** Versions with other content that ran here before, newest first, at most {@link MAX_HISTORY}. */
  readonly history?: readonly PastRelease[]
  /** Of a Job: the first newer version that came to be known without a part for this node. */
  readonly passedBy?: number
  /** With `tombstone`: not deleted, only not here any more, because other nodes run it. This version may come back. */
  readonly handedOver?: boolean
}

/** What happened to nodes: the members service. */
export type NodeEventSource = Pick<
  MembersService,
  'recentEvents' | 'addEventListener' | 'removeEventListener'
>

export interface KeepOptions extends Required<Abortable> {
  /** Copies that this node runs or is about to run. */
  readonly ordinals: readonly number[]
}

/** A manifest that this node keeps, as far as its owner's status shows it. */
export interface KeptView {
  readonly manifestId: Uint8Array
  readonly version: number
  readonly replicas: number
  /** Peer ID. */
  readonly owner: string
  readonly tombstone: boolean
  readonly shareThreshold: number
  readonly shareHolders: number
  readonly liveHolders: number
  readonly standbys: number
}

/** A copy that is about to be started. */
export type FencedCopy = Pick<StoredManifest, 'manifestId' | 'version'> & Pick<StoredWorkload, 'ordinal'>

export interface FenceLease {
  /** On the clock since boot, ms. */
  readonly untilMs: number
  /** What still runs then is killed from outside; else it is stopped in order. */
  readonly byGuard: boolean
}

export interface Fencer {
  /** Resolves when the copy may run here; undefined: it needs no lease. @throws what refuses it, code FENCED */
  mayStart(copy: FencedCopy, options: Required<Abortable>): Promise<FenceLease | undefined>
  /** Whether a copy that runs counts as running. */
  isHeld(manifestId: Uint8Array, ordinal: number): boolean
}

export interface KeptForOwners {
  keptViews(): KeptView[]
  /** What its owner handed out; undefined: nothing, or a tombstone. */
  keptBundle(manifestId: Uint8Array): KeptBundle | undefined
}

export interface KeptBundle {
  readonly bundle: Bundle
  readonly version: number
  /** Peer ID. */
  readonly owner: string
  readonly ownerKey: Uint8Array
}

export interface WorkloadsInit {
  readonly network: Network
  readonly key: SigningKey
  /** Shown in answers. */
  readonly nodeName: string
  readonly store: Store
  /** What is opened that was sealed to this node. */
  readonly sealingKey: Pick<SealingKeyring, 'of' | 'stored'>
  readonly engines: EngineRegistry
  /** Engine to take when the manifest names none. */
  readonly preferredEngine?: string
  /** Address that host ports are opened on where the manifest does not say. */
  readonly publishAddress: string
  readonly doors: Doors
  /** What a manifest's owner, and others, may do with it here. @default its owner everything, others nothing */
  readonly trust?: () => TrustState
  /** Peer IDs of the machine's own owners; may change. Others run things here as guests. @default none */
  readonly ownOwners?: ReadonlySet<string>
  /** What other parts of the node keep of a manifest for others, as far as an author (a peer ID) may know. @default nothing */
  readonly keptOf?: (manifestId: Uint8Array, author: string) => Promise<readonly HeldVersionInit[]>
  /** What happened to nodes, for owners who ask. @default nothing */
  readonly nodeEvents?: () => NodeEventSource
  /** false: takes no workloads. @default true */
  readonly scheduling?: boolean
  /** Whether it takes nothing new just now. @default never */
  readonly isCordoned?: () => boolean
  /**
   * Makes a version, or the tombstone of a manifest, durable on other nodes before anybody is told that it is accepted.
   * @default nowhere but here
   */
  readonly keep?: (bundle: Bundle, options: KeepOptions) => Promise<void>
  /** Who lets copies run whose owner wants them to run once at most. @default every copy may run */
  readonly fencing?: () => Fencer
  /** Kills fenced copies when this process cannot. @default nobody does */
  readonly guard?: Guard
  /** What this node keeps for owners besides what it runs, for status. @default nothing */
  readonly keptFor?: () => KeptForOwners
  /** Ordinals of what may be started again of a manifest after a restart. @default all that it had */
  readonly mayResume?: (manifest: StoredManifest, options: Required<Abortable>) => Promise<readonly number[]>
  /** @default {@link PORT_RANGE} */
  readonly portRange?: { readonly first: number; readonly last: number }
  /** @default {@link MAX_CONCURRENT_DEPLOYMENTS} */
  readonly maxConcurrentDeployments?: number
  /** true: owners may run commands in their workloads. @default false */
  readonly exec?: boolean
  /** What manifests of an owner (a peer ID) must keep to. @default nothing beyond the manifest format */
  readonly policyFor?: (owner: string) => SandboxPolicy
  /** A folder on the disk that workloads fill; its free space counts. */
  readonly storagePath: string
  /** What of the machine workloads may have. @default all of it */
  readonly capacity?: {
    readonly machine?: { readonly cpuMillis?: number; readonly memoryBytes?: number; readonly pods?: number }
  }
  /** Events kept on disk for whoever asks later. @default {@link MAX_EVENTS} */
  readonly maxEvents?: number
  /** For crash tests: called when a named point is reached, before what comes after it. */
  readonly onFaultPoint?: (point: FaultPoint) => void
  /** How often engines are asked what still runs, ms. @default {@link WATCH_INTERVAL_MS} */
  readonly watchIntervalMs?: number
  readonly now?: () => number
}

/** A copy changed its state. */
export interface WorkloadEvent {
  readonly type:
    | 'accepted'
    | 'pulling'
    | 'starting'
    | 'started'
    | 'ready'
    | 'restarted'
    | 'failed'
    | 'stopping'
    | 'stopped'
    | 'drained'
  readonly atMs: number
  readonly manifestId: Uint8Array
  readonly version: number
  readonly workloadId: string
  readonly ordinal: number
  readonly reason?: string
}

export interface WorkloadsEvents {
  workload: CustomEvent<WorkloadEvent>
}

export interface WorkloadsService extends Startable, TypedEventTarget<WorkloadsEvents> {
  /** What this node holds, tombstones left out. */
  list(): StoredManifest[]
  /** The latest events, oldest first, at most as many as are kept. */
  recentEvents(): readonly WorkloadEvent[]
  /** Seals the content keys of everything held here to another key of this node. */
  readonly reseal: Resealer
  /** What this machine has, what is promised to copies, and what is left. */
  resources(): NodeResources
  /** What copies of lower priority would give to somebody's copies, were there no other room. */
  freeable(claimant: Claimant): Freeable
  /** The manifest as it is here, a tombstone too. */
  get(manifestId: Uint8Array): StoredManifest | undefined
  /** Runs copies that somebody else than their owner brought, in the owner's name. @returns the manifest, failed copies included @throws what refuses it */
  assign(assignment: Omit<Assignment, 'signal'>): Promise<StoredManifest>
  /**
   * Stops copies here because others run them; with none left the manifest is handed over.
   * @param drained why, of each copy that is one too many: its owner is told so. @default nothing is too many
   */
  drop(
    manifestId: Uint8Array,
    ordinals: readonly number[],
    drained?: ReadonlyMap<number, string>
  ): Promise<void>
  /** Tells others that copies which go on running here are about to be run by another node, or that they are not. */
  leave(manifestId: Uint8Array, ordinals: readonly number[], isLeaving: boolean): void
  /** Stops all copies because their owner deleted the manifest. @param record the tombstone, checked */
  bury(record: OpenedRecord, bytes: Uint8Array): Promise<void>
  /** A version that this node has no part in yet, as one of its keepers knows. */
  passBy(release: Pick<StoredManifest, 'manifestId' | 'version'>): Promise<void>
  /** Stops copies whose lease is over; they start again with {@link unfence}. */
  fence(manifestId: Uint8Array, ordinal: number): Promise<void>
  /** Starts copies that were fenced. Nothing happens when they run, or are gone. */
  unfence(manifestId: Uint8Array, ordinal: number): Promise<void>
  /** Tells the guard, and whoever asked for the manifest, that copies go on running. @param lease.isNew it was over before */
  extend(
    manifestId: Uint8Array,
    ordinal: number,
    lease: FenceLease & { readonly isNew: boolean }
  ): Promise<void>
  /** Until when the guard lets a workload run, ms since boot; undefined: it does not know it. */
  guardedUntil(workloadId: string): Promise<number | undefined>
  /** The content key of what runs here. Uint8Array(32), secret @returns undefined when it does not run here in that version */
  contentKeyOf(manifestId: Uint8Array, version: number): Promise<Uint8Array | undefined>
}
