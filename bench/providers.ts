/**
 * `npm run bench:providers [NODES] [ROUNDS]`: how quickly "who runs this?" is answered, right after an apply and right after a crash.
 *
 *   first provider, nothing cached      NODES nodes in this process on TCP loopback, mock engine; 10 lookups a round, each of a manifest
 *                                       that the asking node never heard of
 *   from the cache                      lookups a second on one core
 *   end of apply to found by all        the slowest of the other nodes, each asked until it finds it
 *   provider gone to said by nobody     5 processes, the provider killed (SIGKILL) or frozen (SIGSTOP); the others asked every 25 ms
 */
import { createHash, randomBytes } from 'node:crypto'
import { parseManifestId, parseManifests } from '../src/manifest/index.ts'
import { createMesh, type Mesh } from '../test/fixtures/create-mesh.ts'
import { createProcessMesh } from '../test/fixtures/create-process-mesh.ts'
import { podYaml } from './stage.ts'

const size = Number(process.argv[2] ?? 20)
const rounds = Number(process.argv[3] ?? 20)

function quantile(values: readonly number[], share: number): string {
  const sorted = [...values].sort((a, b) => a - b)
  return `${sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!.toFixed(1)} ms`
}

function report(what: string, values: readonly number[], bound: string): void {
  console.log(
    `${what}: median ${quantile(values, 0.5)}, p99 ${quantile(values, 0.99)} (${bound}; n=${values.length})`
  )
}

/** A manifest ID that nobody has heard of: CIDv1, raw, sha2-256. */
function randomManifestId(): Uint8Array {
  return new Uint8Array([0x01, 0x55, 0x12, 0x20, ...createHash('sha256').update(randomBytes(16)).digest()])
}

const pick = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)]!

async function lookups({ nodes }: Mesh): Promise<void> {
  const workload = { workloadId: 'bench-0', ordinal: 0, state: 'running', engine: 'mock' } as const
  const first: number[] = []
  for (let round = 0; round < rounds; round++) {
    const provider = pick(nodes)
    const ids = Array.from({ length: 10 }, randomManifestId)
    for (const id of ids)
      provider.services.providers.announce(id, () => ({ version: 1, workloads: [workload] }))
    while (!ids.every((id) => provider.services.providers.isAnnounced(id)))
      await new Promise((resolve) => setTimeout(resolve, 50))
    await new Promise((resolve) => setTimeout(resolve, 500)) // so that it is the lookup that is measured, not the announcement
    for (const id of ids) {
      const asker = pick(nodes.filter((node) => node !== provider))
      const startedAt = performance.now()
      const found = await asker.services.providers.find(id, { limit: 1 })
      first.push(performance.now() - startedAt)
      if (found.length !== 1) throw new Error('nobody was found')
    }
    for (const id of ids) provider.services.providers.withdraw(id)
  }
  report(`first provider, nothing cached, ${size} nodes`, first, 'bound: median 10, p99 100')

  const id = randomManifestId()
  nodes[0]!.services.providers.announce(id, () => ({ version: 1, workloads: [workload] }))
  const asker = nodes[1]!.services.providers
  await asker.find(id)
  let count = 0
  const startedAt = performance.now()
  while (performance.now() - startedAt < 2_000)
    for (let index = 0; index < 1_000; index++, count++)
      if ((await asker.find(id)).length !== 1) throw new Error('the cache lost it')
  const perSecond = count / ((performance.now() - startedAt) / 1_000)
  console.log(`from the cache: ${Math.round(perSecond)} lookups a second (bound 100,000)`)
  nodes[0]!.services.providers.withdraw(id)
}

async function visibility(mesh: Mesh): Promise<void> {
  const client = await mesh.client(0)
  const slowest: number[] = []
  for (let round = 0; round < rounds; round++) {
    const runs = pick(mesh.nodes)
    const [result] = await client.apply(parseManifests(podYaml(`visible-${round}`)), { to: [runs.name] })
    const id = parseManifestId(result!.manifestId)!
    const appliedAt = performance.now()
    const times = await Promise.all(
      mesh.nodes.map(async ({ services }) => {
        while ((await services.providers.find(id, { limit: 1 })).length === 0);
        return performance.now() - appliedAt
      })
    )
    slowest.push(Math.max(...times))
    await client.delete(`visible-${round}`)
  }
  report(`end of apply to found by all ${size}`, slowest, 'bound: p99 1000')
}

async function crashes(signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
  const gone: number[] = []
  for (let round = 0; round < Math.max(1, Math.floor(rounds / 4)); round++) {
    const names = ['a', 'b', 'c', 'd', 'e']
    const mesh = await createProcessMesh({ nodes: names })
    try {
      await mesh.settled()
      const [result] = await mesh.given([JSON.parse(podYaml('crash'))], ['e'])
      const clients = await Promise.all([0, 1, 2, 3].map((entry) => mesh.client(entry)))
      // everybody has heard of it, from the provider itself
      const running = async (index: number) =>
        (await clients[index]!.providers(result!.manifestId)).providers.some(
          ({ source }) => source !== 'stale'
        )
      for (const index of clients.keys()) while (!(await running(index)));
      const startedAt = performance.now()
      if (signal === 'SIGKILL') await mesh.nodes[4]!.kill9()
      else mesh.nodes[4]!.suspend()
      const times = await Promise.all(
        clients.map(async (_, index) => {
          for (let lastSeen = startedAt, clear = 0; ; ) {
            const askedAt = performance.now()
            if (await running(index)) [lastSeen, clear] = [performance.now(), 0]
            else if (++clear === 3) return lastSeen - startedAt // nobody brings it back
            await new Promise((resolve) =>
              setTimeout(resolve, Math.max(0, 25 - (performance.now() - askedAt)))
            )
          }
        })
      )
      gone.push(Math.max(...times))
    } finally {
      await mesh.close()
    }
  }
  report(`${signal} of the provider to said by nobody`, gone, 'bound: p99 5000')
}

const mesh = await createMesh(size)
try {
  await lookups(mesh)
  await visibility(mesh)
} finally {
  await mesh.close()
}
if (process.argv[4] !== 'lookups') await crashes('SIGKILL')
if (process.argv[4] !== 'lookups') await crashes('SIGSTOP')
process.exit(0) // because a frozen node's sockets may still be waited for
