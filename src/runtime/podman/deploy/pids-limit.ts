import { writeFile } from 'node:fs/promises'
import type { Abortable } from '../../../common/index.ts'
import { cgroupFile } from '../../parts/index.ts'
import type { Podman } from '../client/index.ts'
import { findContainers } from '../find-container.ts'
import { podmanError } from '../podman-error.ts'

/**
 * Bounds the processes of every running container through its cgroup, because `kube play` has no way to say it (no field, no annotation,
 * and containers.conf is ignored). So a container has the moment from its start until this to start more; they stay, but no more come.
 * @throws RuntimeError START_FAILED when the kernel does not take the limit
 */
export async function enforcePidsLimit(
  podman: Podman,
  workloadId: string,
  limit: number,
  options: Abortable
): Promise<void> {
  for (const { Pid } of await findContainers(podman, workloadId, undefined, options)) {
    const path = await cgroupFile(Pid, 'pids', 'pids.max')
    if (path === undefined) continue // it has ended
    try {
      await writeFile(path, String(limit), { flag: 'r+' })
    } catch (cause) {
      if ((await cgroupFile(Pid, 'pids', 'pids.max')) === undefined) continue
      throw podmanError('START_FAILED', `a limit of ${limit} processes cannot be set (${path})`, {
        cause,
        workloadId,
        hint: 'The node needs the right to write cgroups: run it as root, or without a limit of processes.'
      })
    }
  }
}
