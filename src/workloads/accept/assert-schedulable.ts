import { WorkloadsError } from '../errors.ts'
import type { StoredManifest, WorkloadsInit } from '../types.ts'

/**
 * Whether this node takes copies of a manifest. One that is cordoned goes on with what it runs, newer versions of it too.
 * @param existing what runs here of it; undefined also for more copies of what runs
 * @throws WorkloadsError NOT_SCHEDULABLE
 */
export function assertSchedulable(
  { scheduling, isCordoned }: Pick<WorkloadsInit, 'scheduling' | 'isCordoned'>,
  existing?: Pick<StoredManifest, 'workloads' | 'tombstone'>
): void {
  if (scheduling === false)
    throw new WorkloadsError(
      'NOT_SCHEDULABLE',
      'this node takes no workloads: it is a bootstrap node, or runs with --no-scheduling',
      { hint: 'Name another node with --to.' }
    )
  const runs = existing !== undefined && !existing.tombstone && existing.workloads.length > 0
  if (isCordoned?.() !== true || runs) return
  throw new WorkloadsError('NOT_SCHEDULABLE', 'this node is cordoned: it takes nothing new', {
    hint: 'Name another node with --to, or let this one take copies again with "beemesh uncordon".'
  })
}
