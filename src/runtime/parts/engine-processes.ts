import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { startTicks } from '../guard/start-ticks.ts'
import type { EngineProcess } from '../types.ts'
import { cgroupFile } from './process-usage.ts'

/**
 * The first process of a container in words that stay true: its start time, because a PID is used again, and its cgroup where that is the
 * container's alone. Undefined when it is gone.
 * @param id the container's, which its own cgroup is named after
 */
export async function describeProcess(pid: number, id: string): Promise<EngineProcess | undefined> {
  if (pid <= 1) return undefined
  const started = startTicks(pid)
  if (started === undefined) return undefined
  const procs = await cgroupFile(pid, 'pids', 'cgroup.procs')
  const isOwn = procs?.includes(id) === true && (await isThere(procs))
  return { pid, startTicks: started, ...(isOwn ? { cgroup: containerCgroup(dirname(procs), id) } : {}) }
}

/** A container may move its first process into a group below its own. */
function containerCgroup(path: string, id: string): string {
  const parts = path.split('/')
  return parts.slice(0, parts.findIndex((part) => part.includes(id)) + 1).join('/')
}

function isThere(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false
  )
}
