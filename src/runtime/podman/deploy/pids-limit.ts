import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Abortable, delay } from '../../../common/index.ts'
import { cgroupFile } from '../../parts/index.ts'
import type { Podman } from '../client/index.ts'
import { PIDS_POLL_MS } from '../constants.ts'
import { findContainers } from '../find-container.ts'
import { podmanError } from '../podman-error.ts'

const ROOTS = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup']

/**
 * Bounds the processes of every container of a pod as soon as its cgroup appears, init containers included, until the signal fires.
 * Because a container runs while `kube play` is still busy with the next one, and {@link enforcePidsLimit} comes after all. Never
 * throws: what it could not do, that does, or says.
 */
export async function watchPidsLimit(
  podman: Podman,
  workloadId: string,
  limit: number,
  signal: AbortSignal
): Promise<void> {
  const done = new Set<string>()
  let path: string | undefined
  while (!signal.aborted) {
    try {
      path ??= (await podman.ask((client) => client.inspectPod(workloadId, { signal }), { signal }))
        ?.CgroupPath
      for (const directory of path === undefined ? [] : ROOTS.map((root) => join(root, path ?? '')))
        for (const name of await readdir(directory).catch(() => [])) {
          const file = join(directory, name, 'pids.max')
          if (!name.startsWith('libpod-') || done.has(file)) continue
          await writeFile(file, String(limit), { flag: 'r+' })
          done.add(file)
        }
    } catch {} // it comes and goes
    await delay(PIDS_POLL_MS)
  }
}

/**
 * Bounds the processes of every running container through its cgroup, because `kube play` has no way to say it (no field, no annotation,
 * and containers.conf is ignored). So a container has a moment after its start to start more; they stay, but no more come.
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
