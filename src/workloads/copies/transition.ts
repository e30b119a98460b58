import type { Context } from '../context.ts'
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
