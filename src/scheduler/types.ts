import type { Logger, Startable } from '@libp2p/interface'
import type { Abortable } from '../common/index.ts'
import type {
  AssignRequestInit,
  BidList,
  BidRequestInit,
  FenceRequestInit,
  HeldVersionInit,
  KeepRequestInit,
  MemberState,
  Record as RecordBody,
  Released,
  ReleaseRequestInit,
  Verdict
} from '../generated/fbs/index.ts'
import type { Network, SigningKey } from '../identity/index.ts'
import type { ProviderView } from '../providers/index.ts'
import type { SealingKey } from '../sealing/index.ts'
import type { Store } from '../store/index.ts'
import type { TrustState } from '../trust/index.ts'
import type { Conduct, Doors, PeerRequests } from '../wire/index.ts'
import type {
  Bundle,
  Fencer,
  KeepOptions,
  KeptBundle,
  KeptView,
  StoredManifest,
  WorkloadsService
} from '../workloads/index.ts'
import type { Cordon } from './draining/cordon.ts'

/** Another node, or this one, as far as placing and keeping need to know it. */
export interface Neighbour {
  readonly peerId: string
  readonly publicKey: Uint8Array
  readonly name: string
  readonly self: boolean
  readonly state: MemberState
  /** Directly or through a relay. */
  readonly connected?: boolean
  readonly scheduling: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly engines: readonly string[]
  readonly sealingKey: Uint8Array
  readonly sealingEpoch: number
  readonly bootId: Uint8Array
  readonly roundTripMs?: number | undefined
  /** Since its last sign of life; undefined: it is not known, and does not count. */
  readonly silentMs?: number | undefined
}

/** Who runs a manifest, as its lease says. */
export type Lease = Pick<ProviderView, 'peerId' | 'version' | 'highest' | 'workloads'> & {
  /** "stale" is no lease: what a node said once that cannot be asked now. */
  readonly source?: ProviderView['source']
}

/** Questions to another node. All have a deadline of their own. @throws WireError when it does not answer */
export interface Asks {
  keep(peerId: string, request: KeepRequestInit, options: Required<Abortable>): Promise<Verdict>
  assign(peerId: string, request: AssignRequestInit, options: Required<Abortable>): Promise<Verdict>
  release(peerId: string, request: ReleaseRequestInit, options: Required<Abortable>): Promise<Released>
  fence(peerId: string, request: FenceRequestInit, options: Required<Abortable>): Promise<Verdict>
  bid(peerId: string, request: BidRequestInit, options: Required<Abortable>): Promise<BidList>
}

/**
 * Everything the scheduler knows of the world, in one place: libp2p, our services and the clock; in unit tests none of
 * them.
 */
export interface World {
  readonly key: SigningKey
  readonly networkId: Uint8Array
  readonly nodeName: string
  readonly store: Store
  readonly log: Logger
  readonly trust: () => TrustState
  /** The key that secrets are sealed to here. @param epoch one of before, while it is still there @default the one of now */
  readonly sealingKey: (epoch?: number) => SealingKey
  /** 0 to 1, of all cores together. */
  readonly load: () => number
  readonly startedAtMs: number
  readonly now: () => number
  /** Since the machine was switched on, ms; leases of fenced copies are measured by it. @default now */
  readonly bootClock?: () => number
  readonly random: () => number
  readonly delay: (ms: number, options: Required<Abortable>) => Promise<void>
  /** This node and all members it has heard of, dead ones too. */
  readonly neighbours: () => readonly Neighbour[]
  readonly isMember: (peerId: string) => boolean
  /** Whether a node that is known here is no member any more, because its owners took that back. @default nobody is */
  readonly isExpelled?: (peerId: string) => boolean
  readonly asks: Asks
  /** Who counts as running it now, without asking. */
  readonly leased: (manifestId: Uint8Array) => readonly Lease[]
  /** The same, after asking whoever may know. */
  readonly find: (
    manifestId: Uint8Array,
    options: Required<Abortable> & {
      /** Also where a lease would do, for what the copies use. */
      readonly fresh?: boolean
      /** Peer IDs of who is thought to run it. */
      readonly likely?: readonly string[]
      /** Nobody else is asked when this says so of what is found. */
      readonly enough?: (found: readonly Lease[]) => boolean
    }
  ) => Promise<readonly Lease[]>
  /** How many nodes the last search for it heard nothing of. @default none */
  readonly unheard?: (manifestId: Uint8Array) => number
  readonly workloads: Pick<
    WorkloadsService,
    | 'get'
    | 'list'
    | 'assign'
    | 'drop'
    | 'leave'
    | 'bury'
    | 'fence'
    | 'unfence'
    | 'extend'
    | 'guardedUntil'
    | 'contentKeyOf'
    | 'passBy'
    | 'resources'
  > &
    Partial<Pick<WorkloadsService, 'freeable'>>
}

/** What was done about a manifest, for people and programs that want to know. */
export interface Healed {
  readonly atMs: number
  readonly manifestId: Uint8Array
  readonly action: 'scaled' | 'replaced' | 'updated' | 'drained' | 'buried' | 'nothing-fits'
  readonly detail: string
}

/** A record that was checked: signed by an owner this node obeys. */
export interface CheckedRecord extends RecordBody {
  /** sha256 of its body. */
  readonly digest: Uint8Array
  /** Public key of who signed it. */
  readonly owner: Uint8Array
  /** Peer ID. */
  readonly ownerPeerId: string
}

/** A manifest version that this node keeps for its owner. */
export interface Kept {
  readonly record: CheckedRecord
  readonly bundle: Bundle
  readonly keptAtMs: number
}

export interface SchedulerInit {
  readonly network: Network
  readonly key: SigningKey
  readonly nodeName: string
  readonly store: Store
  /** Where owners ask for bids; undefined: nobody may. */
  readonly doors?: Doors
  /** What is held against neighbours. @default one of this service alone, whose bans last until they dial again */
  readonly conduct?: Conduct
  readonly trust: () => TrustState
  /** The key that secrets are sealed to here. @param epoch one of before @default the one of now */
  readonly sealingKey: (epoch?: number) => SealingKey
  /** Whether a node is a member, who alone is asked to keep, to run, or is given keys. */
  readonly isMember: (peerId: string) => boolean
  /** An owner signed two records with one version; every keeper says so. */
  readonly onEquivocation?: (record: CheckedRecord) => void
  /** Whether other nodes were ever known here, and so may have taken over what this one ran. @default true */
  readonly hasOthers?: () => boolean
  /** Copies are about to be started here: keepers are being told, or asked. @default nobody hears of it */
  readonly onBegins?: (manifestId: Uint8Array, ordinals: readonly number[]) => void
  /** Questions between nodes. @default over libp2p's streams */
  readonly wire?: PeerRequests
  /** Remembers that the node takes nothing new. @default it always takes something */
  readonly cordon?: Cordon
  readonly now?: () => number
  /** Since the machine was switched on, ms. @default now when that is given, else the machine's */
  readonly bootClock?: () => number
}

export interface SchedulerService extends Startable, Fencer {
  /** Gives a version, or a tombstone, to all that are to keep it. Durable when it resolves. @throws WorkloadsError VERSION_STALE */
  keep(bundle: Bundle, options: KeepOptions): Promise<void>
  /** Ordinals of what may be started again after a restart. */
  mayResume(stored: StoredManifest, options: Required<Abortable>): Promise<readonly number[]>
  /** What this node keeps for owners. */
  kept(): Kept[]
  /** The same as status shows it, with how far each is from being lost with the nodes that run it. */
  keptViews(): KeptView[]
  /** What is kept of a manifest, for its owner. @param author peer ID */
  inspectKept(manifestId: Uint8Array, author: string): Promise<HeldVersionInit[]>
  /** Seals what is kept under one key of this node to another one; on disk when it resolves. */
  reseal(from: SealingKey, to: SealingKey): Promise<void>
  /** What its owner handed out; undefined: nothing, or a tombstone. */
  keptBundle(manifestId: Uint8Array): KeptBundle | undefined
  /** What was done about manifests lately, oldest first. */
  healed(): readonly Healed[]
}
