import { toError } from '../../common/index.ts'
import { assertMayApply } from '../access.ts'
import { announce, type Context, openStored } from '../context.ts'
import { planCopy, removeCopy } from '../copies/deploy.ts'
import { startCopy } from '../copies/release.ts'
import { tell } from '../copies/transition.ts'
import type { StoredManifest } from '../types.ts'
import type { Assignment } from './accept-copies.ts'
import { admit } from './admit.ts'
import { assertSchedulable } from './assert-schedulable.ts'
import { checkOrdinals } from './compare.ts'

/**
 * More copies of a version that runs here already. Those that fail to start are taken out again and leave the others alone.
 * @returns the manifest; copies that failed are in it, for whoever asked
 */
export async function addCopies(
  context: Context,
  existing: StoredManifest,
  { ordinals: asked, ownerPeerId: owner, signal, report }: Assignment
): Promise<StoredManifest> {
  const { table, init } = context
  assertSchedulable(init)
  const { manifest } = await openStored(context, owner, existing)
  const ordinals = checkOrdinals(asked, manifest)
  const copies = existing.workloads.length + ordinals.length
  assertMayApply(context, manifest, { manifestId: existing.manifestId, owner, copies })
  admit(init, manifest, { owner, copies })
  await context.capacity.refresh()
  context.capacity.assertFits(manifest, ordinals.length)
  const wanted = {
    required: manifest.engine,
    preferred: existing.workloads[0]?.engine ?? init.preferredEngine
  }
  const engine = await init.engines.pick(wanted, { signal })
  await table.noteEngine(engine.name)
  const { manifestId, version } = existing
  const added = ordinals.map((ordinal) =>
    planCopy(context, { manifest, manifestId, version, ordinal, engine })
  )
  await table.put({ ...existing, workloads: [...existing.workloads, ...added] })
  for (const workload of added) {
    tell(context, existing, workload)
    report({ workload })
  }
  const started = await Promise.all(
    added.map((copy) => startCopy(context, existing, { manifest, copy, report }))
  )
  for (const { workload } of started.filter(({ workload: { state } }) => state === 'failed')) {
    await removeCopy(context, workload, 0).catch((error: unknown) =>
      context.log.error('%s: %s', workload.workloadId, toError(error).message)
    )
    const current = table.get(manifestId)
    const isOther = ({ workloadId }: { workloadId: string }) => workloadId !== workload.workloadId
    if (current !== undefined) await table.put({ ...current, workloads: current.workloads.filter(isOther) })
  }
  announce(context, manifestId)
  return {
    ...table.get(manifestId)!,
    workloads: [...existing.workloads, ...started.map(({ workload }) => workload)]
  }
}
