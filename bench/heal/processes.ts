import { readdir, readFile } from 'node:fs/promises'
import type { Hosts } from '../../test/fixtures/hosts.ts'

/** Hosts on which a copy's first process is alive, one entry for each: what the kernel says, whatever anybody believes. */
export async function aliveCopies(hosts: Hosts, marker: string): Promise<number[]> {
  const parents = new Map<string, string>()
  const copies: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)))
    try {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      parents.set(pid, parent!)
      const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')
      if (state !== 'Z' && words[0] === 'sh' && words[3] === marker) copies.push(pid)
    } catch {} // because it ended meanwhile
  const roots = new Map<string, number>()
  for (const host of hosts.numbers)
    roots.set((await readFile(`${hosts.dir}/${host}/pid`, 'utf8')).trim(), host)
  const hostOf = (pid: string): number => {
    for (let one: string | undefined = pid; one !== undefined; one = parents.get(one)) {
      const host = roots.get(one)
      if (host !== undefined) return host
    }
    return 0
  }
  // a copy's shell that forks is there twice for a moment
  const forked = copies.filter((pid) => copies.includes(parents.get(pid)!))
  const found = copies.filter((pid) => !forked.includes(pid)).map(hostOf)
  return found.filter((host) => host > 0) // not those of another bench
}
