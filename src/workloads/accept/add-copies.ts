import { assertMayApply } from '../access.ts'
import { announce, type Context, openStored } from '../context.ts'
import { planCopy } from '../copies/deploy.ts'
import { startCopy, takeOut } from '../copies/release.ts'
import { tell } from '../copies/transition.ts'
import { makeRoom, planRoom } from '../resources/preempt.ts'
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
  { ordinals: asked, ownerPeerId: owner, signal, report, past }: Assignment
): Promise<StoredManifest> {
  const { table, init } = context
  assertSchedulable(init)
  const { manifest } = await openStored(context, owner, existing)
  const ordinals = checkOrdinals(asked, manifest)
  const copies = existing.workloads.length + ordinals.length
  assertMayApply(context, manifest, { manifestId: existing.manifestId, owner, copies })
  admit(init, manifest, { owner, copies })
  await context.capacity.refresh()
  const victims = planRoom(context, manifest, {
    manifestId: existing.manifestId,
    owner,
    copies: ordinals.length
  })
  if (victims.length > 0) {
    await makeRoom(context, victims, { owner, name: manifest.name, priority: manifest.placement.priority })
    context.capacity.assertFits(manifest, ordinals.length)
  }
  const wanted = {
    required: manifest.engine,
    preferred: existing.workloads[0]?.engine ?? init.preferredEngine
  }
  const engine = await init.engines.pick(wanted, { signal })
  await table.noteEngine(engine.name)
  const { manifestId, version } = existing
  const added = ordinals.map((ordinal) =>
    planCopy(context, { manifest, manifestId, version, ordinal, engine, past })
  )
  await table.put({ ...existing, workloads: [...existing.workloads, ...added] })
  for (const workload of added) {
    tell(context, existing, workload)
    report({ workload })
  }
  const started = await Promise.all(
    added.map((copy) => startCopy(context, existing, { manifest, copy, report }))
  )
  const failed = started.filter(({ workload: { state } }) => state === 'failed')
  await takeOut(context, manifestId, failed)
  announce(context, manifestId)
  return {
    ...table.get(manifestId)!,
    workloads: [...existing.workloads, ...started.map(({ workload }) => workload)]
  }
}

/** More copies of each run of a CronJob: those of runs that nobody finished are started here, too. */
export async function addSchedule(
  context: Context,
  existing: StoredManifest,
  { ordinals, past }: Pick<Assignment, 'ordinals' | 'past'>
): Promise<StoredManifest> {
  const { table } = context
  const before = existing.slotOrdinals ?? []
  const added = ordinals.filter((ordinal) => !before.includes(ordinal))
  if (added.length === 0) return existing
  const { lastSlotMs, openSlots = [] } = existing
  // because a run that this node has started for its own copies may not have been started for these
  const missed = lastSlotMs !== undefined && lastSlotMs > (past?.slotMs ?? 0) ? [lastSlotMs] : []
  await table.put({
    ...existing,
    slotOrdinals: [...before, ...added].sort((a, b) => a - b),
    openSlots: [...new Set([...openSlots, ...(past?.openSlots ?? []), ...missed])]
  })
  return table.get(existing.manifestId)!
}
