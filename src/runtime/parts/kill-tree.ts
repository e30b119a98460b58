import { readdir, readFile } from 'node:fs/promises'

/**
 * Kills a process and its descendants, provided that it belongs to container `id` (its cgroup tells, because a PID is used again).
 * Nothing there is success. What has cut itself off from its parent stays.
 * @throws NodeJS.ErrnoException EPERM when it is another user's
 */
export async function killTree(pid: number, id: string): Promise<void> {
  const cgroup = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '')
  if (pid <= 1 || (process.getuid?.() === 0 && !cgroup.includes(id))) return
  const found = [pid]
  for (const parent of found) {
    send(parent, 'SIGSTOP') // so that it has no more children than we see
    found.push(...(await childrenOf(parent)))
  }
  for (const one of found) send(one, 'SIGKILL')
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => ''))
  )
  return lists.flatMap((list) =>
    list
      .split(' ')
      .filter((word) => word !== '')
      .map(Number)
  )
}
