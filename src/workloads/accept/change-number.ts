import { announce, type Context } from '../context.ts'
import type { StoredManifest } from '../types.ts'
import type { Assignment } from './accept-copies.ts'
import { addCopies } from './add-copies.ts'
import { dropCopies } from './drop-copies.ts'

/**
 * A newer version whose copies are those that run, and more, or fewer: the others are left alone. In the manifest's lane; the version is in
 * the table already.
 */
export async function changeNumber(
  context: Context,
  stored: StoredManifest,
  assignment: Assignment
): Promise<StoredManifest> {
  const { manifestId, workloads } = stored
  const { ordinals, report } = assignment
  const surplus = workloads.map(({ ordinal }) => ordinal).filter((one) => !ordinals.includes(one))
  const missing = ordinals.filter((one) => !workloads.some(({ ordinal }) => ordinal === one))
  if (surplus.length > 0) await dropCopies(context, manifestId, surplus)
  for (const workload of context.table.get(manifestId)!.workloads) report({ workload, unchanged: true })
  announce(context, manifestId)
  const current = context.table.get(manifestId)!
  return missing.length === 0 ? current : addCopies(context, current, { ...assignment, ordinals: missing })
}
