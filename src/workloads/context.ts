import type { Logger } from '@libp2p/interface'
import type { WorkloadInit } from '../generated/fbs/index.ts'
import { publicKeyFromPeerId } from '../identity/index.ts'
import { formatManifestId, type Manifest, withDefaultLimits } from '../manifest/index.ts'
import type { ProvidersService } from '../providers/index.ts'
import type { EnginePort } from '../runtime/index.ts'
import { LABELS } from './constants.ts'
import type { Capacity } from './copies/capacity.ts'
import type { Gate, Lanes } from './copies/lanes.ts'
import type { FaultPoint } from './fault-points.ts'
import type { Guarded } from './fenced/guarded.ts'
import { allCopies, type ManifestTable } from './manifest-table.ts'
import { type OpenedContent, openContent, openKey, openRecord } from './open-record.ts'
import type { Usage } from './resources/usage.ts'
import type {
  PastRelease,
  Release,
  StoredManifest,
  StoredWorkload,
  WorkloadEvent,
  WorkloadsInit
} from './types.ts'

/** What every verb of this folder works with. */
export interface Context {
  readonly init: WorkloadsInit
  readonly now: () => number
  readonly table: ManifestTable
  readonly lanes: Lanes
  readonly gate: Gate
  readonly providers: ProvidersService
  readonly log: Logger
  /** Fires when the node stops. */
  readonly signal: AbortSignal
  /** Host ports promised to copies that are not in the table yet. */
  readonly takenPorts: Set<number>
  /** Manifest ID and ordinal of copies that another node is about to run. */
  readonly leaving: Set<string>
  readonly capacity: Capacity
  /** What the guard knows of fenced copies. */
  readonly guarded: Guarded
  readonly usage: Usage
  readonly emit: (event: WorkloadEvent) => void
  readonly recentEvents: () => readonly WorkloadEvent[]
  /** Hears of every event from now on. @returns what ends that */
  readonly onEvent: (listener: (event: WorkloadEvent) => void) => () => void
  /** Begins to probe a copy that has just been started. */
  readonly probe: (
    manifest: Pick<StoredManifest, 'manifestId' | 'owner' | 'version' | 'graceMs'>,
    copy: StoredWorkload,
    opened: Manifest
  ) => void
  readonly unprobe: (copy: StoredWorkload) => void
  /** Whether a copy may take over from the one before: what its readiness probes say, or that it runs when it has none. */
  readonly isReady: (copy: StoredWorkload) => boolean
  /** Names a place where a crash test may end the process. */
  readonly reach: (point: FaultPoint) => void
}

/** Decrypts what a stored manifest holds, as it was admitted: with the limits that the policy gave it then. */
export async function openStored(context: Context, owner: string, release: Release): Promise<OpenedContent> {
  const { network, key, sealingKey } = context.init
  const author = publicKeyFromPeerId(owner)
  // because a record that ran out still describes what runs: time is checked when it arrives, and by whoever renews it
  const record = openRecord(release.record, { author, networkId: network.id, nowMs: 0, tombstone: false })
  const opened = await openContent(record, release.content!, {
    owner: author,
    networkId: network.id,
    node: key.publicKey,
    sealingKey: sealingKey.stored
  })
  return { ...opened, manifest: withDefaultLimits(opened.manifest, release.defaultLimits ?? {}) }
}

/** The content key of what a stored manifest holds. Secret. @throws SealingError */
export function openStoredKey(context: Context, owner: string, release: PastRelease): Promise<Uint8Array> {
  const { network, key, sealingKey } = context.init
  const author = publicKeyFromPeerId(owner)
  const record = openRecord(release.record, { author, networkId: network.id, nowMs: 0, tombstone: false })
  const node = key.publicKey
  return openKey(record, release.content!.sealedKey, {
    owner: author,
    networkId: network.id,
    node,
    sealingKey: sealingKey.stored
  })
}

/** Whether a copy that runs may be said to: one whose lease is over may run elsewhere. */
export function isHeld({ init }: Pick<Context, 'init'>, manifestId: Uint8Array, ordinal: number): boolean {
  return init.fencing?.().isHeld(manifestId, ordinal) ?? true
}

/** A copy as it goes over the wire. */
export function toWire(workload: StoredWorkload): WorkloadInit {
  return {
    workloadId: workload.workloadId,
    ordinal: workload.ordinal,
    state: workload.state,
    engine: workload.engine,
    ports: workload.ports.map(toWirePort),
    startedAt: workload.startedAtMs ?? 0,
    message: workload.message?.slice(0, 250)
  }
}

function toWirePort({ containerPort, hostPort, hostIp, protocol }: EnginePort) {
  return { containerPort, hostPort, hostIp, protocol }
}

/** Labels on everything this node starts, so that it finds its own again. */
export function nodeLabels(context: Context): Record<string, string> {
  return { [LABELS.node]: context.init.key.peerId }
}

/** States in which a copy does its work. */
export const RUNNING: ReadonlySet<string> = new Set(['running', 'ready'])

/** Tells the world, or takes it back, by what runs now: copies of the old version and of the new one alike. */
export function announce(context: Context, manifestId: Uint8Array): void {
  const isLeaving = ({ ordinal }: StoredWorkload) =>
    context.leaving.has(`${formatManifestId(manifestId)} ${ordinal}`)
  const toLeased = (copy: StoredWorkload) => toWire(isLeaving(copy) ? { ...copy, state: 'stopping' } : copy)
  const provided = () => {
    const manifest = context.table.get(manifestId)
    if (manifest === undefined || manifest.tombstone) return undefined
    const running = allCopies(manifest).filter(
      ({ state, ordinal }) => RUNNING.has(state) && isHeld(context, manifestId, ordinal)
    )
    const { version, highest } = manifest
    const workloads = running.map((copy) => ({ ...toLeased(copy), ...context.usage.of(copy.workloadId) }))
    return running.length === 0 ? undefined : { version, highest: highest.version, workloads }
  }
  if (provided() === undefined) context.providers.withdraw(manifestId)
  else context.providers.announce(manifestId, provided)
}
