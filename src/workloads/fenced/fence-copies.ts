import { toError } from '../../common/index.ts'
import { announce, type Context, openStored, RUNNING } from '../context.ts'
import { removeCopy } from '../copies/deploy.ts'
import { startCopy } from '../copies/release.ts'
import type { Restarter } from '../copies/restart.ts'
import { tell } from '../copies/transition.ts'
import { allCopies } from '../manifest-table.ts'
import type { StoredWorkload } from '../types.ts'

const WHY = 'FENCED: this node could not renew the lease of the copy, so that another one may run it'

/** Stops a copy whose lease is over, and remembers that it would run. In the manifest's lane. */
export async function fenceCopies(context: Context, manifestId: Uint8Array, ordinal: number): Promise<void> {
  const { table, init, guarded } = context
  const stored = table.get(manifestId)
  if (stored === undefined || stored.tombstone || init.fencing?.().isHeld(manifestId, ordinal)) return
  for (const copy of allCopies(stored)) {
    if (copy.ordinal !== ordinal || !RUNNING.has(copy.state)) continue
    const fenced: StoredWorkload = { ...copy, state: 'failed', fenced: true, message: WHY }
    context.unprobe(copy)
    await table.putWorkload(manifestId, fenced)
    tell(context, stored, fenced)
    announce(context, manifestId)
    // what the guard kills at this moment needs no time to end; the other is stopped in order
    await removeCopy(context, copy, guarded.isWatched(copy.workloadId) ? 0 : stored.graceMs)
  }
}

/** Starts what was fenced, because it may run again. In the manifest's lane. */
export async function unfenceCopies(
  context: Context,
  { manifestId, ordinal, restarter }: { manifestId: Uint8Array; ordinal: number; restarter: Restarter }
): Promise<void> {
  const { table } = context
  const stored = table.get(manifestId)
  // what is being replaced is begun by its rollout
  if (stored === undefined || stored.tombstone || stored.content === undefined || stored.next !== undefined)
    return
  const waiting = stored.workloads.filter((copy) => copy.ordinal === ordinal && copy.fenced === true)
  if (waiting.length === 0) return
  const { manifest } = await openStored(context, stored.owner, stored)
  for (const copy of waiting) {
    await removeCopy(context, copy, 0)
    const { workload } = await startCopy(context, stored, { manifest, copy, report: () => {} })
    announce(context, manifestId)
    if (workload.state !== 'failed' || workload.fenced === true) continue
    const reason = workload.message ?? toError(undefined).message
    await restarter.schedule(stored, workload, { containers: [], reason })
  }
}

/** The lease of running copies goes on. @param lease.isNew it had been over, or there had been none: others are told that they run */
export async function extendLease(
  context: Context,
  manifestId: Uint8Array,
  ordinal: number,
  { untilMs, byGuard, isNew }: { untilMs: number; byGuard: boolean; isNew: boolean }
): Promise<void> {
  const { table, guarded } = context
  const stored = table.get(manifestId)
  if (stored === undefined || stored.tombstone) return
  const copies = allCopies(stored).filter((copy) => copy.ordinal === ordinal)
  if (byGuard)
    for (const copy of copies)
      if (RUNNING.has(copy.state) || guarded.isWatched(copy.workloadId))
        await guarded.extend(copy, manifestId, untilMs)
  if (isNew && copies.some(({ state }) => RUNNING.has(state))) announce(context, manifestId)
}
