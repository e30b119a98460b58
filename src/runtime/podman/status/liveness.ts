import { readFile } from 'node:fs/promises'
import type { Abortable } from '../../../common/index.ts'
import type { Podman } from '../client/index.ts'
import type { ContainerInspect } from '../types.ts'

/**
 * What became of a container that Podman lists as running although its process is not there. Podman learns of an end from conmon,
 * and says "Up" forever when conmon has been killed too. So: Podman's newest word; if that is still "running", trust it for as long
 * as conmon (which turns into `podman container cleanup`) lives, ask once more after that, and then it is `gone`.
 */
export async function judgeMissing(
  podman: Podman,
  id: string,
  options: Abortable
): Promise<{ readonly verdict: 'running' | 'gone' | 'told'; readonly inspect?: ContainerInspect }> {
  for (let look = 1; ; look++) {
    const inspect = await podman.ask((client) => client.inspectContainer(id, options), options)
    if (inspect === undefined) return { verdict: 'gone' }
    // "stopping" is where a container stays whose stop has failed
    if (!['running', 'stopping'].includes(inspect.State.Status)) return { verdict: 'told', inspect }
    if (await isProcessOf(inspect.State.Pid, id)) return { verdict: 'running', inspect }
    if (await isMonitorOf(inspect.State.ConmonPid, id)) return { verdict: 'running', inspect }
    if (look === 2) return { verdict: 'gone', inspect }
  }
}

/**
 * Whether process `pid` lives and belongs to container `id`. Its cgroup tells (because a PID is used again), except without root,
 * where containers may have no cgroup of their own.
 */
export async function isProcessOf(pid: number, id: string): Promise<boolean> {
  if (pid <= 0) return false
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
  if (stat === '' || state === 'Z' || state === 'X') return false
  return process.getuid?.() !== 0 || mentions(`/proc/${pid}/cgroup`, id)
}

/** Whether process `pid` is the conmon of container `id`, or the `podman container cleanup` that it turns into. */
export function isMonitorOf(pid: number, id: string): Promise<boolean> {
  return mentions(`/proc/${pid}/cmdline`, id)
}

async function mentions(path: string, id: string): Promise<boolean> {
  return readFile(path, 'utf8').then(
    (content) => content.includes(id),
    () => false
  )
}
