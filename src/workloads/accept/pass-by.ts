import type { Context } from '../context.ts'
import type { StoredManifest } from '../types.ts'

/**
 * A newer version exists, and this node has no part in it yet. What was done here of a Job counts for that version, when it says the same, and
 * for none after it: the Job may have been deleted in between, and was then applied to be done again. In the manifest's lane.
 */
export async function passBy(
  { table }: Pick<Context, 'table'>,
  { manifestId, version }: Pick<StoredManifest, 'manifestId' | 'version'>
): Promise<void> {
  const stored = table.get(manifestId)
  if (stored?.job === undefined || stored.tombstone || stored.passedBy !== undefined) return
  if (stored.highest.version < version) await table.put({ ...stored, passedBy: version })
}
