import { readdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Abortable, delay } from '../../common/index.ts'
import { TEARDOWN_POLL_MS, TEARDOWN_WAIT_MS } from './constants.ts'

const V1_ROOT = '/sys/fs/cgroup/pids'
const V2_ROOT = '/sys/fs/cgroup'

/**
 * Resolves when no process is left in a pod's cgroup, or after {@link TEARDOWN_WAIT_MS}. Removing a pod while conmon and its cleanup
 * still sit there makes Podman retry for 3 s (measured: 3.4 s against 0.2 s). Without such a cgroup (no root, other layouts) it
 * resolves at once, and the removal is only slower.
 * @param cgroupPath as `podman pod inspect` tells it, from the root of the hierarchy
 */
export async function awaitEmptyCgroup(cgroupPath: string | undefined, options: Abortable): Promise<void> {
  if (cgroupPath === undefined || !cgroupPath.startsWith('/') || cgroupPath.includes('..')) return
  const deadline = performance.now() + TEARDOWN_WAIT_MS
  while (performance.now() < deadline) {
    if (!(await isPopulated(cgroupPath))) return
    await delay(TEARDOWN_POLL_MS, options)
  }
}

/**
 * Kills what still watches over commands that were run in a pod: after the end of each, conmon waits another 300 s for somebody to ask,
 * and removing the pod waits for it. Never throws.
 */
export async function killExecMonitors(cgroupPath: string | undefined): Promise<void> {
  if (cgroupPath === undefined || cgroupPath.includes('..')) return
  for (const root of [V1_ROOT, V2_ROOT]) await killMonitors(join(root, cgroupPath, 'conmon', 'cgroup.procs'))
}

/**
 * Kills the conmons of one exec session, or of all.
 * @param procs the file that lists the conmons of a pod
 */
export async function killMonitors(procs: string, execId = ''): Promise<void> {
  const pids = (await readFile(procs, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '')
  for (const pid of pids) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
    const session = words[words.indexOf('-u') + 1] ?? ''
    if (!words.includes('--exec-process-spec') || !session.startsWith(execId)) continue
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {} // it has ended, or is another user's
  }
}

/**
 * Removes what is left of a removed pod's cgroups. On a hybrid tree runc forgets those under `systemd` and `unified`, two a pod, for
 * ever. A cgroup with a process in it stays, because the kernel refuses. Never throws.
 */
export async function removeEmptyCgroups(cgroupPath: string | undefined): Promise<void> {
  if (cgroupPath === undefined || !/\/[0-9a-f]{64}$/.test(cgroupPath) || cgroupPath.includes('..')) return
  const hierarchies = await readdir(V2_ROOT, { withFileTypes: true }).catch(() => [])
  const roots = hierarchies
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(V2_ROOT, name, cgroupPath))
  await Promise.all(roots.map(removeEmptyTree))
}

async function removeEmptyTree(directory: string): Promise<void> {
  const children = await readdir(directory, { withFileTypes: true }).catch(() => [])
  for (const child of children) if (child.isDirectory()) await removeEmptyTree(join(directory, child.name))
  await rmdir(directory).catch(() => {})
}

async function isPopulated(cgroupPath: string): Promise<boolean> {
  const events = await readFile(join(V2_ROOT, cgroupPath, 'cgroup.events'), 'utf8').catch(() => undefined)
  if (events !== undefined) return /^populated 1$/m.test(events)
  const directory = join(V1_ROOT, cgroupPath)
  const children = await readdir(directory, { withFileTypes: true }).catch(() => [])
  const paths = [
    directory,
    ...children.filter((child) => child.isDirectory()).map(({ name }) => join(directory, name))
  ]
  for (const path of paths)
    if ((await readFile(join(path, 'cgroup.procs'), 'utf8').catch(() => '')) !== '') return true
  return false
}
