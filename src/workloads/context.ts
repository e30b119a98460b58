import type { Logger } from '@libp2p/interface'
import type { WorkloadInit } from '../generated/fbs/index.ts'
import { publicKeyFromPeerId } from '../identity/index.ts'
import type { ProvidersService } from '../providers/index.ts'
import type { EnginePort } from '../runtime/index.ts'
import { LABELS } from './constants.ts'
import type { Gate, Lanes } from './copies/lanes.ts'
import type { ManifestTable } from './manifest-table.ts'
import { type OpenedContent, openContent, openRecord } from './open-record.ts'
import type { StoredManifest, StoredWorkload, WorkloadsInit } from './types.ts'

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
}

/** Decrypts what a stored manifest holds, as when it came. */
export function openStored(context: Context, stored: StoredManifest): Promise<OpenedContent> {
  const { network, key, sealingKey } = context.init
  const owner = publicKeyFromPeerId(stored.owner)
  // because a record that ran out still describes what runs: time is checked when it arrives, and by whoever renews it
  const record = openRecord(stored.record, {
    author: owner,
    networkId: network.id,
    nowMs: 0,
    tombstone: false
  })
  return openContent(record, stored.content!, {
    owner,
    networkId: network.id,
    node: key.publicKey,
    sealingKey
  })
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
    message: workload.message?.slice(0, 1000)
  }
}

function toWirePort({ containerPort, hostPort, hostIp, protocol }: EnginePort) {
  return { containerPort, hostPort, hostIp, protocol }
}

/** Labels on everything this node starts, so that it finds its own again. */
export function nodeLabels(context: Context): Record<string, string> {
  return { [LABELS.node]: context.init.key.peerId }
}

const RUNNING: ReadonlySet<string> = new Set(['running', 'ready'])

/** Tells the world, or takes it back, by what runs now. */
export function announce(context: Context, manifestId: Uint8Array): void {
  const running = () =>
    context.table.get(manifestId)?.workloads.filter(({ state }) => RUNNING.has(state)) ?? []
  if (running().length === 0) {
    context.providers.withdraw(manifestId)
    return
  }
  context.providers.announce(manifestId, () => {
    const workloads = running().map(toWire)
    return workloads.length === 0 ? undefined : { version: context.table.get(manifestId)!.version, workloads }
  })
}
