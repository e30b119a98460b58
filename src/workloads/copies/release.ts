import { toError } from '../../common/index.ts'
import type { Manifest } from '../../manifest/index.ts'
import { announce, type Context } from '../context.ts'
import { WorkloadsError } from '../errors.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { type Deployed, deployCopy, removeCopy } from './deploy.ts'
import { becomesReady } from './ready.ts'
import { tell } from './transition.ts'

/** What became of the copies of one release. `failed` is empty when all run. */
export interface ReleaseOutcome {
  readonly running: readonly StoredWorkload[]
  readonly failed: readonly Deployed[]
}

export type Report = (deployed: Deployed & { readonly unchanged?: boolean }) => void

/**
 * Starts the first release of a manifest here. The release is in the table already ("accepted"). What an owner brings is all its copies or none:
 * when one fails the others are removed and nothing but the version is remembered, so that the owner can try again. What a keeper gives is one
 * copy beside the other, of which those go on that started.
 */
export async function startRelease(
  context: Context,
  stored: StoredManifest,
  { manifest, report, isAllOrNone }: { manifest: Manifest; report: Report; isAllOrNone: boolean }
): Promise<ReleaseOutcome> {
  const results = await startAll(context, stored, { manifest, report })
  context.reach('apply:all-deployed')
  const failed = results.filter(({ workload }) => workload.state === 'failed')
  const running = results
    .filter(({ workload }) => workload.state !== 'failed')
    .map(({ workload }) => workload)
  if (failed.length === 0) {
    announce(context, stored.manifestId)
    context.reach('apply:settled')
    return { running, failed }
  }
  if (running.length > 0 && !isAllOrNone) {
    await takeOut(context, stored.manifestId, failed)
    announce(context, stored.manifestId)
    return { running, failed }
  }
  const undone = await Promise.all(running.map((copy) => undo(context, stored, copy, report)))
  // the version stays known, so that no older record is taken later
  await context.table.put({ ...stored, tombstone: true, content: undefined, workloads: [] })
  announce(context, stored.manifestId)
  return { running: [], failed: [...failed, ...undone] }
}

/** Nothing is left of copies that failed to start; the others are left alone. */
export async function takeOut(
  context: Context,
  manifestId: Uint8Array,
  failed: readonly Deployed[]
): Promise<void> {
  const { table, log } = context
  for (const { workload } of failed) {
    await removeCopy(context, workload, 0).catch((error: unknown) =>
      log.error('%s: %s', workload.workloadId, toError(error).message)
    )
    const current = table.get(manifestId)
    const isOther = ({ workloadId }: { workloadId: string }) => workloadId !== workload.workloadId
    if (current !== undefined) await table.put({ ...current, workloads: current.workloads.filter(isOther) })
  }
}

/** All at once; those of an ordered StatefulSet one after the other, each when the one before is ready. */
async function startAll(
  context: Context,
  stored: StoredManifest,
  { manifest, report }: { manifest: Manifest; report: Report }
): Promise<Deployed[]> {
  const start = (copy: StoredWorkload) => startCopy(context, stored, { manifest, copy, report })
  if (!manifest.rollout.ordered) return Promise.all(stored.workloads.map(start))
  const results: Deployed[] = []
  for (const copy of stored.workloads) {
    const deployed = await start(copy)
    results.push(deployed)
    if (deployed.workload.state === 'failed') break
    if (results.length < stored.workloads.length)
      await becomesReady(context, stored.manifestId, deployed.workload, manifest.rollout)
  }
  return results
}

/** Starts one copy and writes down what became of it. */
export async function startCopy(
  context: Context,
  {
    manifestId,
    owner,
    version,
    graceMs
  }: Pick<StoredManifest, 'manifestId' | 'owner' | 'version' | 'graceMs'>,
  { manifest, copy, report }: { manifest: Manifest; copy: StoredWorkload; report: Report }
): Promise<Deployed> {
  const named = { manifestId, owner, version }
  const onChange = (workload: StoredWorkload) => {
    tell(context, named, workload)
    report({ workload })
  }
  const deployed = await deployCopy(context, { stored: named, manifest, copy, onChange })
  await context.table.putWorkload(manifestId, deployed.workload).catch((error: unknown) => {
    // on a full disk it runs all the same, and has to be announced: the next start finds out by itself what runs
    context.log.error('%s: its state is not written: %e', copy.workloadId, error)
  })
  context.reach('apply:one-deployed')
  tell(context, named, deployed.workload)
  report(deployed)
  if (deployed.workload.state === 'running') context.probe({ ...named, graceMs }, deployed.workload, manifest)
  return deployed
}

/** Takes a copy away again because another one failed. */
export async function undo(
  context: Context,
  named: Pick<StoredManifest, 'manifestId' | 'version' | 'graceMs'>,
  copy: StoredWorkload,
  report: Report
): Promise<Deployed> {
  await removeCopy(context, copy, named.graceMs)
  const { code, message } = new WorkloadsError('ROLLED_BACK', 'removed again, because another copy failed')
  const workload: StoredWorkload = { ...copy, state: 'failed', ports: [], message }
  tell(context, named, { ...workload, state: 'stopped' })
  report({ workload, errorCode: code })
  return { workload, errorCode: code }
}
