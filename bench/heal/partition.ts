import type { Hosts } from '../../test/fixtures/hosts.ts'
import { type Cluster, REPLICAS } from './cluster.ts'
import { seconds } from './figures.ts'
import { aliveCopies } from './processes.ts'
import { pause, settle } from './round.ts'

const PARTED_MS = 60_000
const LOOK_MS = 500

/** Parts two hosts from the other three for a minute, and heals that. @returns a line to print */
export async function partition(
  cluster: Cluster,
  { hosts, index }: { hosts: Hosts; index: number }
): Promise<string> {
  // two neighbours in a ring, another pair each time
  const few = [0, 1].map((step) => cluster.hosts[(index + step) % cluster.hosts.length]!)
  const many = cluster.hosts.filter((host) => !few.includes(host))
  const counts: number[] = []
  const before = await aliveCopies(hosts, cluster.marker)
  await hosts.part(few, many)
  const end = Date.now() + PARTED_MS
  while (Date.now() < end) {
    counts.push((await aliveCopies(hosts, cluster.marker)).length)
    await pause(LOOK_MS)
  }
  const parted = await aliveCopies(hosts, cluster.marker)
  const healedAtMs = Date.now()
  await hosts.rejoin(few, many)
  let least = REPLICAS
  let watching = true
  const watch = (async () => {
    while (watching) {
      least = Math.min(least, (await aliveCopies(hosts, cluster.marker)).length)
      await pause(LOOK_MS)
    }
  })()
  const settledAtMs = await settle(cluster, hosts).finally(() => {
    watching = false
  })
  await watch
  const after = await aliveCopies(hosts, cluster.marker)
  return `${cluster.name}, hosts ${few} | ${many}: copies on ${before.sort()}, after a minute on ${parted.sort()}, at the end on ${after.sort()}; never fewer than ${Math.min(least, ...counts)}; converged ${seconds(settledAtMs - healedAtMs)} after healing`
}
