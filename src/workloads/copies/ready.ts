import { delay, safeText } from '../../common/index.ts'
import type { Rollout } from '../../manifest/index.ts'
import { ROLLOUT_SETTLE_MS } from '../constants.ts'
import type { Context } from '../context.ts'
import { WorkloadsError } from '../errors.ts'
import { allCopies } from '../manifest-table.ts'
import type { StoredWorkload } from '../types.ts'
import type { Deployed } from './deploy.ts'
import { describeEnds } from './restart.ts'

const READY_POLL_MS = 100

/** A copy that did not come up; the others are not to wait for it. */
export class CopyFailed extends WorkloadsError {
  readonly deployed: Deployed

  constructor(deployed: Deployed) {
    super('ROLLED_BACK', deployed.workload.message ?? 'a copy did not start')
    this.deployed = deployed
  }
}

/**
 * Resolves when a copy that was just started is ready, and has been for as long as its manifest asks.
 * @throws CopyFailed when it ends, or is not ready within the deadline of its rollout
 */
export async function becomesReady(
  context: Context,
  manifestId: Uint8Array,
  copy: StoredWorkload,
  { minReadyMs, progressDeadlineMs }: Pick<Rollout, 'minReadyMs' | 'progressDeadlineMs'>
): Promise<void> {
  const { signal, now } = context
  const engine = context.init.engines.get(copy.engine)
  const deadlineMs = now() + progressDeadlineMs
  // because a copy that falls over at once has "run" for a moment too
  await delay(Math.max(minReadyMs, ROLLOUT_SETTLE_MS), { signal })
  for (;;) {
    const seen = await engine.status(copy.workloadId, { signal })
    const table = context.table.get(manifestId)
    const known = table && allCopies(table).find(({ workloadId }) => workloadId === copy.workloadId)
    if (seen?.state === 'failed' || seen?.state === 'stopped' || seen === undefined)
      throw await failed(context, manifestId, copy, describeEnds(seen))
    if (known?.state === 'failed') throw await failed(context, manifestId, copy, known.message ?? 'it failed')
    if (seen.state === 'running' && context.isReady(copy)) return
    if (now() >= deadlineMs)
      throw await failed(context, manifestId, copy, 'it did not become ready in time', 'NOT_READY_IN_TIME')
    await delay(READY_POLL_MS, { signal })
  }
}

async function failed(
  context: Context,
  manifestId: Uint8Array,
  copy: StoredWorkload,
  message: string,
  errorCode = 'START_FAILED'
): Promise<CopyFailed> {
  const workload: StoredWorkload = { ...copy, state: 'failed', message: safeText(message, 1000) }
  await context.table.putWorkload(manifestId, workload)
  return new CopyFailed({ workload, errorCode })
}
