import { delay, safeText, toError } from '../../common/index.ts'
import type { Manifest } from '../../manifest/index.ts'
import { ROLLOUT_SETTLE_MS } from '../constants.ts'
import { announce, type Context, openStored, RUNNING } from '../context.ts'
import { WorkloadsError } from '../errors.ts'
import type { Release, StoredManifest, StoredWorkload } from '../types.ts'
import { type Deployed, removeCopy } from './deploy.ts'
import { type ReleaseOutcome, type Report, startCopy, undo } from './release.ts'
import { tell } from './transition.ts'

/** A copy that has not become ready by then makes the rollout turn back. Source: Kubernetes' progressDeadlineSeconds is 600. */
const PROGRESS_DEADLINE_MS = 600_000
const READY_POLL_MS = 100

/** A copy of the new release that did not come up. */
class CopyFailed extends WorkloadsError {
  readonly deployed: Deployed

  constructor(deployed: Deployed) {
    super('ROLLED_BACK', deployed.workload.message ?? 'a copy did not start')
    this.deployed = deployed
  }
}

/**
 * Replaces the copies of a manifest by those of `next`, one ordinal after the other: the new copy first, and only when it is
 * ready the old one goes. When a new copy does not become ready in time everything turns back to what ran before. Repeatable:
 * after a crash it goes on where it was.
 */
export async function rollOut(
  context: Context,
  manifestId: Uint8Array,
  report: Report
): Promise<ReleaseOutcome> {
  const { table } = context
  const next = table.get(manifestId)?.next
  if (next === undefined) return { running: [], failed: [] }
  const { manifest } = await openStored(context, table.get(manifestId)!.owner, next)
  try {
    for (const ordinal of ordinalsOf(table.get(manifestId)!, next))
      await replaceOrdinal(context, manifestId, { ordinal, manifest, report })
    const done = await commit(context, manifestId)
    return { running: done.workloads, failed: [] }
  } catch (thrown) {
    context.signal.throwIfAborted() // the node stops: the next start goes on
    const failed = thrown instanceof CopyFailed ? [thrown.deployed] : []
    context.log.error('rollout turned back: %s', toError(thrown).message)
    const undone = await turnBack(context, manifestId, { report, except: failed })
    return { running: table.get(manifestId)?.workloads ?? [], failed: [...failed, ...undone] }
  }
}

function ordinalsOf(old: Release, next: Release): number[] {
  const all = new Set([...next.workloads, ...old.workloads].map(({ ordinal }) => ordinal))
  return [...all].sort((a, b) => a - b)
}

async function replaceOrdinal(
  context: Context,
  manifestId: Uint8Array,
  { ordinal, manifest, report }: { ordinal: number; manifest: Manifest; report: Report }
): Promise<void> {
  const stored = context.table.get(manifestId)!
  const next = stored.next!
  const old = stored.workloads.find((copy) => copy.ordinal === ordinal)
  const fresh = next.workloads.find((copy) => copy.ordinal === ordinal)
  // because two copies cannot have one host port, a manifest that names its own ports is replaced in place
  const inPlace = manifest.ports.some(({ hostPort }) => hostPort !== undefined)
  if (old !== undefined && fresh !== undefined && inPlace) {
    await stopOld(context, stored, old)
    context.reach('rollout:old-stopped-first')
  }
  if (fresh !== undefined && !RUNNING.has(fresh.state)) {
    const deployed = await startCopy(
      context,
      { ...next, manifestId, owner: stored.owner },
      { manifest, copy: fresh, report }
    )
    if (deployed.workload.state === 'failed') throw new CopyFailed(deployed)
    context.reach('rollout:new-deployed')
    announce(context, manifestId)
    await becomesReady(context, manifestId, deployed.workload)
    context.reach('rollout:new-ready')
  }
  if (old !== undefined) {
    await stopOld(context, stored, old)
    context.reach('rollout:old-removed')
  }
  announce(context, manifestId)
}

/** The old copy stays in the table as stopped, so that turning back knows what to bring up again. */
async function stopOld(context: Context, stored: StoredManifest, old: StoredWorkload): Promise<void> {
  const current = context.table
    .get(stored.manifestId)
    ?.workloads.find((one) => one.workloadId === old.workloadId)
  if (current?.state === 'stopped') return
  await context.table.putWorkload(stored.manifestId, { ...old, state: 'stopping' })
  announce(context, stored.manifestId)
  await removeCopy(context, old, stored.graceMs)
  await context.table.putWorkload(stored.manifestId, { ...old, state: 'stopped', ports: [] })
  tell(context, stored, { ...old, state: 'stopped', message: 'replaced by a newer version' })
}

/** @throws CopyFailed when it ends or is not ready in time */
async function becomesReady(context: Context, manifestId: Uint8Array, copy: StoredWorkload): Promise<void> {
  const { signal, now } = context
  const engine = context.init.engines.get(copy.engine)
  const deadlineMs = now() + PROGRESS_DEADLINE_MS
  await delay(ROLLOUT_SETTLE_MS, { signal }) // because a copy that falls over at once has "run" for a moment too
  for (;;) {
    const seen = await engine.status(copy.workloadId, { signal })
    if (seen?.state === 'failed' || seen?.state === 'stopped' || seen === undefined)
      throw await failedCopy(
        context,
        manifestId,
        copy,
        safeText(seen?.message ?? 'it ended right after its start', 1000)
      )
    const probed = context.table
      .get(manifestId)
      ?.next?.workloads.find((one) => one.workloadId === copy.workloadId)
    if (seen.state === 'running' && context.isReady(probed ?? copy)) return
    if (now() >= deadlineMs)
      throw await failedCopy(
        context,
        manifestId,
        copy,
        'it did not become ready in time',
        'NOT_READY_IN_TIME'
      )
    await delay(READY_POLL_MS, { signal })
  }
}

async function failedCopy(
  context: Context,
  manifestId: Uint8Array,
  copy: StoredWorkload,
  message: string,
  errorCode = 'START_FAILED'
): Promise<CopyFailed> {
  const workload: StoredWorkload = { ...copy, state: 'failed', message }
  await context.table.putWorkload(manifestId, workload)
  return new CopyFailed({ workload, errorCode })
}

async function commit(context: Context, manifestId: Uint8Array): Promise<StoredManifest> {
  const { next, ...old } = context.table.get(manifestId)!
  const done: StoredManifest = { ...old, ...next!, next: undefined }
  await context.table.put(done)
  context.reach('rollout:committed')
  announce(context, manifestId)
  return done
}

/** Removes what is new, brings back what was stopped. The version that failed counts as seen. */
async function turnBack(
  context: Context,
  manifestId: Uint8Array,
  { report, except }: { report: Report; except: readonly Deployed[] }
): Promise<Deployed[]> {
  const { next, ...stored } = context.table.get(manifestId)!
  const failedIds = new Set(except.map(({ workload }) => workload.workloadId))
  const undone = await Promise.all(
    (next?.workloads ?? []).map(async (copy) => {
      if (!failedIds.has(copy.workloadId))
        return [await undo(context, { ...next!, manifestId }, copy, report)]
      await removeCopy(context, copy, 0)
      report(except.find(({ workload }) => workload.workloadId === copy.workloadId)!)
      return []
    })
  )
  context.reach('rollback:new-removed')
  const workloads = stored.workloads.map((copy) =>
    RUNNING.has(copy.state) ? copy : ({ ...copy, state: 'accepted' } as const)
  )
  await context.table.put({ ...stored, workloads, next: undefined })
  const stopped = workloads.filter(({ state }) => !RUNNING.has(state))
  if (stopped.length > 0) {
    const { manifest } = await openStored(context, stored.owner, stored)
    await Promise.all(stopped.map((copy) => startCopy(context, stored, { manifest, copy, report })))
  }
  context.reach('rollback:old-restored')
  announce(context, manifestId)
  return undone.flat()
}
