import type { Context } from '../context.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'

/**
 * Before a copy, or a container of it, is started: whether it may be, and the guard knows of it.
 * @throws SchedulerError FENCED; RuntimeError GUARD_UNAVAILABLE
 */
export async function permit(
  { init, guarded, signal }: Pick<Context, 'init' | 'guarded' | 'signal'>,
  { manifestId, version }: Pick<StoredManifest, 'manifestId' | 'version'>,
  copy: StoredWorkload
): Promise<void> {
  const { ordinal } = copy
  const lease = await init.fencing?.().mayStart({ manifestId, version, ordinal }, { signal })
  if (lease?.byGuard === true) await guarded.begin(copy, manifestId, lease.untilMs)
}
