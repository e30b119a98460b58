import { toError } from '../../common/index.ts'
import { isReplacedInPlace, type Manifest, paceOf } from '../../manifest/index.ts'
import { withPast } from '../accept/compare.ts'
import { announce, type Context, openStored, RUNNING } from '../context.ts'
import type { Release, StoredManifest, StoredWorkload } from '../types.ts'
import { type Deployed, removeCopy } from './deploy.ts'
import { becomesReady, CopyFailed } from './ready.ts'
import { type ReleaseOutcome, type Report, startCopy, undo } from './release.ts'
import { tell } from './transition.ts'

/**
 * Replaces the copies of a manifest by those of `next`, by ordinal: the new copy first, and only when it is ready the old one goes;
 * as many at a time as the manifest lets run above its number, or be missing where the old copy must go first. When a new copy does
 * not become ready in time everything turns back to what ran before. Repeatable: after a crash it goes on where it was.
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
    if (manifest.rollout.strategy === 'Recreate')
      for (const old of table.get(manifestId)!.workloads) await stopOld(context, table.get(manifestId)!, old)
    const ordinals = ordinalsOf(table.get(manifestId)!, next, manifest)
    await eachOf(ordinals, paceOf(manifest), (ordinal) =>
      replaceOrdinal(context, manifestId, { ordinal, manifest, report })
    )
    const done = await commit(context, manifestId)
    return { running: done.workloads, failed: [] }
  } catch (thrown) {
    context.signal.throwIfAborted() // the node stops: the next start goes on
    const failed = thrown instanceof AggregateError ? thrown.errors.flatMap(deployedOf) : []
    const reasons = thrown instanceof AggregateError ? thrown.errors : [thrown]
    context.log.error('rollout turned back: %s', reasons.map((one) => toError(one).message).join('; '))
    const undone = await turnBack(context, manifestId, { report, except: failed })
    return { running: table.get(manifestId)?.workloads ?? [], failed: [...failed, ...undone] }
  }
}

/** From 0 up; a StatefulSet from the last one down, as Kubernetes does it. */
function ordinalsOf(old: Release, next: Release, manifest: Manifest): number[] {
  const all = new Set([...next.workloads, ...old.workloads].map(({ ordinal }) => ordinal))
  const up = [...all].sort((a, b) => a - b)
  return manifest.kind === 'StatefulSet' ? up.reverse() : up
}

function deployedOf(error: unknown): Deployed[] {
  return error instanceof CopyFailed ? [error.deployed] : []
}

/**
 * Acts on each in turn, `width` at a time. After a failure none is begun, and those under way are waited for.
 * @throws AggregateError of all failures
 */
async function eachOf(
  ordinals: readonly number[],
  width: number,
  act: (ordinal: number) => Promise<void>
): Promise<void> {
  const waiting = [...ordinals]
  const errors: unknown[] = []
  const work = async () => {
    for (
      let ordinal = waiting.shift();
      ordinal !== undefined && errors.length === 0;
      ordinal = waiting.shift()
    )
      await act(ordinal).catch((error: unknown) => errors.push(error))
  }
  await Promise.all(Array.from({ length: Math.min(width, ordinals.length) }, work))
  if (errors.length > 0) throw new AggregateError(errors, 'copies could not be replaced')
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
  const inPlace = isReplacedInPlace(manifest)
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
    await becomesReady(context, manifestId, deployed.workload, manifest.rollout)
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
  // a full disk must not leave it half stopped, where nobody sees that it still runs
  const write = (copy: StoredWorkload) =>
    context.table.putWorkload(stored.manifestId, copy).catch((error: unknown) => {
      context.log.error('%s: its state is not written: %e', old.workloadId, error)
    })
  await write({ ...old, state: 'stopping' })
  announce(context, stored.manifestId)
  await removeCopy(context, old, stored.graceMs)
  await write({ ...old, state: 'stopped', ports: [] })
  tell(context, stored, { ...old, state: 'stopped', message: 'replaced by a newer version' })
}

async function commit(context: Context, manifestId: Uint8Array): Promise<StoredManifest> {
  const { next, ...old } = context.table.get(manifestId)!
  const history = withPast(old, next!)
  const done: StoredManifest = { ...old, ...next!, next: undefined, history }
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
    await Promise.all(
      stopped.map(async (copy) => {
        await removeCopy(context, copy, 0) // one that had fallen over may be there still
        await startCopy(context, stored, { manifest, copy, report })
      })
    )
  }
  context.reach('rollback:old-restored')
  announce(context, manifestId)
  return undone.flat()
}
