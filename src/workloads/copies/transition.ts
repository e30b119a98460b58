import { announce, type Context, RUNNING } from '../context.ts'
import { allCopies } from '../manifest-table.ts'
import type { StoredManifest, StoredWorkload, WorkloadEvent } from '../types.ts'

const TYPE_OF_STATE: Readonly<Record<StoredWorkload['state'], WorkloadEvent['type']>> = {
  accepted: 'accepted',
  pulling: 'pulling',
  starting: 'starting',
  running: 'started',
  ready: 'ready',
  failed: 'failed',
  stopping: 'stopping',
  stopped: 'stopped'
}

/** Tells that a copy changed its state; nothing is written but the event. */
export function tell(
  context: Context,
  { manifestId, version }: Pick<StoredManifest, 'manifestId' | 'version'>,
  copy: StoredWorkload,
  {
    type = TYPE_OF_STATE[copy.state],
    reason = copy.message
  }: Partial<Pick<WorkloadEvent, 'type' | 'reason'>> = {}
): void {
  const { workloadId, ordinal } = copy
  context.emit({ type, atMs: context.now(), manifestId, version, workloadId, ordinal, reason })
}

/** What the probes say of a copy that runs: it becomes ready, or runs without being so. Others hear of it. */
export async function setReady(
  context: Context,
  { manifestId, version }: Pick<StoredManifest, 'manifestId' | 'version'>,
  workloadId: string,
  ready: boolean
): Promise<void> {
  const stored = context.table.get(manifestId)
  const copy = stored && allCopies(stored).find((one) => one.workloadId === workloadId)
  if (copy === undefined || !RUNNING.has(copy.state)) return
  const workload: StoredWorkload = { ...copy, state: ready ? 'ready' : 'running' }
  await context.table.putWorkload(manifestId, workload)
  if (ready) tell(context, { manifestId, version }, workload)
  else
    tell(context, { manifestId, version }, workload, { type: 'failed', reason: 'the readiness probe failed' })
  announce(context, manifestId)
}
