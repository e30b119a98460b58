import { completionsOf, formatManifestId, type JobPlan, workloadName } from '../../manifest/index.ts'
import type { EngineWorkload } from '../../runtime/index.ts'
import { announce, type Context, openStored, RUNNING } from '../context.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { removeCopy } from './deploy.ts'
import { startCopy } from './release.ts'
import { describeEnds, type Restarter } from './restart.ts'
import { tell } from './transition.ts'

/** Numbers of pods are spread this far apart for each new attempt, above all slots of a CronJob, so that no two pods share a name. */
const ATTEMPT_STRIDE = 10_000_000_000

/** Where a copy of a Job stands. */
export interface JobProgress {
  /** The completion it works on. */
  readonly completion: number
  readonly done: readonly number[]
  readonly failures: number
}

/** What nodes that had copies before have done of them, as they said. */
export interface Past {
  /** Of copies of a Job, by ordinal: how many of its completions, the first ones, are done. */
  readonly progress: ReadonlyMap<number, { readonly done: number; readonly failures: number }>
  /** Of a CronJob: the last slot that was started, ms since epoch, and those that were not finished. */
  readonly slotMs?: number
  readonly openSlots?: readonly number[]
}

/** The first completion of a copy that is not done; undefined when it has none. */
export function firstCompletion(job: JobPlan, ordinal: number, past?: Past): JobProgress | undefined {
  const all = completionsOf(job, ordinal)
  const { done = 0, failures = 0 } = past?.progress.get(ordinal) ?? {}
  // because a copy that is done altogether is only asked for by somebody who wants it done again
  const from = done < all.length ? done : 0
  const completion = all[from]
  return completion === undefined ? undefined : { completion, done: all.slice(0, from), failures }
}

/** Slots are minutes: this many copies of one slot have names of their own. */
const SLOT_STRIDE = 64

/** What tells the pods of a CronJob apart, as the ordinal does those of others. Below 10^10 until the year 2267. */
export function slotNumber(slotMs: number, ordinal: number): number {
  return Math.floor(slotMs / 60_000) * SLOT_STRIDE + ordinal
}

/** A copy of a Job has ended: the next completion, another try, or the end. In the manifest's lane. */
export async function onJobCopyEnded(
  context: Context,
  restarter: Restarter,
  manifest: StoredManifest,
  copy: StoredWorkload,
  seen: EngineWorkload | undefined
): Promise<void> {
  const { job } = manifest
  const progress = copy.job
  if (job === undefined || progress === undefined) return
  if (seen?.state === 'stopped') {
    const done = [...progress.done, progress.completion]
    const next = completionsOf(job, copy.ordinal).find((one) => !done.includes(one))
    if (next === undefined || copy.slotMs !== undefined)
      return finish(context, manifest, copy, { ...progress, done })
    return startNext(context, manifest, copy, { completion: next, done, failures: progress.failures })
  }
  const reason = describeEnds(seen)
  const failures = progress.failures + 1
  const failed = { ...copy, job: { ...progress, failures } }
  // of a CronJob each run counts for itself
  const ofRun = manifest.workloads.filter(({ slotMs }) => slotMs === copy.slotMs)
  const all = ofRun.reduce((sum, one) => sum + (one.job?.failures ?? 0), 1)
  if (all > job.backoffLimit) return giveUp(context, manifest, failed, `BackoffLimitExceeded: ${reason}`)
  const running =
    seen?.containers.filter(({ state, exitCode }) => state !== 'running' && exitCode !== 0) ?? []
  if (manifest.restartPolicy === 'OnFailure' && running.length > 0)
    return restarter.schedule(manifest, failed, { containers: running.map(({ name }) => name), reason })
  return startNext(context, manifest, failed, { ...progress, failures })
}

async function finish(
  context: Context,
  manifest: StoredManifest,
  copy: StoredWorkload,
  job: JobProgress
): Promise<void> {
  const workload: StoredWorkload = {
    ...copy,
    job,
    state: 'stopped',
    message: 'completed',
    endedAtMs: context.now()
  }
  await context.table.putWorkload(manifest.manifestId, workload)
  tell(context, manifest, workload)
  announce(context, manifest.manifestId)
}

async function giveUp(
  context: Context,
  manifest: StoredManifest,
  copy: StoredWorkload,
  message: string
): Promise<void> {
  const workload: StoredWorkload = { ...copy, state: 'failed', message, endedAtMs: context.now() }
  await context.table.putWorkload(manifest.manifestId, workload)
  tell(context, manifest, workload)
  announce(context, manifest.manifestId)
}

/** A new pod for the next completion, or for another try of this one; the pod before is removed with its log. */
async function startNext(
  context: Context,
  manifest: StoredManifest,
  copy: StoredWorkload,
  job: JobProgress
): Promise<void> {
  const { manifest: opened } = await openStored(context, manifest.owner, manifest)
  const { manifestId, version, name } = manifest
  const first = copy.slotMs === undefined ? job.completion : slotNumber(copy.slotMs, copy.ordinal)
  const ordinal = first + ATTEMPT_STRIDE * (job.failures + 1)
  const workloadId = workloadName({ name, manifestId, version, ordinal, node: context.init.key.publicKey })
  const next: StoredWorkload = { ...copy, job, workloadId, state: 'accepted', ports: [], message: undefined }
  // first, because what ended is looked at again until it is written down what comes after it
  await context.table.replaceWorkload(manifestId, copy.workloadId, next)
  try {
    await removeCopy(context, copy, 0)
  } catch (error) {
    await context.table.replaceWorkload(manifestId, workloadId, copy) // what ended is looked at again
    throw error
  }
  const { workload } = await startCopy(context, manifest, { manifest: opened, copy: next, report: () => {} })
  if (workload.state === 'failed')
    await giveUp(context, manifest, workload, workload.message ?? 'it did not start')
}

/** Ends a Job whose time is up, and removes one that has been over for long enough. */
export function tidyJob(context: Context, manifest: StoredManifest): void {
  const { job, acceptedAtMs, workloads } = manifest
  if (job === undefined || workloads.length === 0) return
  const nowMs = context.now()
  const going = workloads.filter(({ state }) => RUNNING.has(state))
  const late = job.activeDeadlineMs !== undefined && nowMs - acceptedAtMs > job.activeDeadlineMs
  const lane = formatManifestId(manifest.manifestId)
  const run = (act: () => Promise<void>) =>
    void context.lanes.run(lane, act).catch((error: unknown) => context.log.error('job %s: %e', lane, error))
  if (late && going.length > 0)
    run(async () => {
      for (const copy of going) {
        await removeCopy(context, copy, manifest.graceMs)
        await giveUp(context, manifest, copy, 'DeadlineExceeded')
      }
    })
  const ended = Math.max(...workloads.map(({ endedAtMs }) => endedAtMs ?? Number.POSITIVE_INFINITY))
  if (job.ttlMs !== undefined && nowMs - ended > job.ttlMs)
    run(async () => {
      const current = context.table.get(manifest.manifestId)
      if (current === undefined || current.tombstone || current.version !== manifest.version) return
      for (const copy of current.workloads) await removeCopy(context, copy, 0)
      await context.table.put({ ...current, tombstone: true, content: undefined, workloads: [] })
    })
}
