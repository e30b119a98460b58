import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Counts, MessageCount, noCounts } from './count.ts'
import type { Measured } from './measured.ts'
import { openRealMesh, type RealNode } from './real-mesh.ts'

/** A gossip message is named to others for three heartbeats of a second after it came. Source: gossipsub, mcacheGossip. */
const GOSSIP_ENDS_MS = 4_500
/** What is still on its way when a search is over. Chosen. */
const SEARCH_ENDS_MS = 500
/** Lookups of each sort in a round; an announcement takes as long as all of them. Chosen. */
const LOOKUPS = 4

const WORKLOAD = { workloadId: 'growth-0', ordinal: 0, state: 'running', engine: 'mock' } as const
const pick = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)]!

interface Manifest {
  readonly id: Uint8Array
  readonly digest: Uint8Array
  readonly provider: RealNode
}

/** Each with a manifest that nobody has heard of before, and a provider and an asker chosen anew. */
export async function measureReal(size: number, rounds: number): Promise<Measured> {
  const count = new MessageCount()
  const { nodes, close } = await openRealMesh(size, count)
  try {
    const announce: Counts[] = []
    const lookups = { first: [] as Counts[], all: [] as Counts[] }
    for (let round = 0; round < rounds; round++) {
      const manifest = provide(nodes)
      announce.push(await counted(count, manifest, () => announced(manifest), GOSSIP_ENDS_MS))
      const others = Array.from({ length: 2 * LOOKUPS }, () => provide(nodes))
      await Promise.all(others.map(announced))
      await sleep(GOSSIP_ENDS_MS)
      for (const [index, one] of others.entries()) {
        const asker = pick(nodes.filter((node) => node !== one.provider))
        const limit = index % 2 === 0 ? 1 : undefined
        const act = async () => {
          const found = await asker.providers.find(one.id, { limit })
          if (found.length !== 1) throw new Error(`${found.length} providers found instead of one`)
        }
        lookups[limit === 1 ? 'first' : 'all'].push(await counted(count, one, act, SEARCH_ENDS_MS))
      }
      for (const one of [manifest, ...others]) one.provider.providers.withdraw(one.id)
    }
    const connections = nodes.map((node) => node.connections())
    return { nodes: size, connections, announce, lookupFirst: lookups.first, lookupAll: lookups.all }
  } finally {
    await close()
  }
}

/** A random manifest ID (CIDv1, raw, sha2-256) and who will run it. */
function provide(nodes: readonly RealNode[]): Manifest {
  const digest = new Uint8Array(createHash('sha256').update(randomBytes(16)).digest())
  return { id: new Uint8Array([0x01, 0x55, 0x12, 0x20, ...digest]), digest, provider: pick(nodes) }
}

async function announced({ id, provider }: Manifest): Promise<void> {
  provider.providers.announce(id, () => ({ version: 1, workloads: [WORKLOAD] }))
  while (!provider.providers.isAnnounced(id)) await sleep(20)
}

async function counted(
  count: MessageCount,
  { digest }: Manifest,
  act: () => Promise<void>,
  endsMs: number
): Promise<Counts> {
  const counts = count.watch(digest)
  await act()
  await sleep(endsMs)
  count.unwatch(digest)
  return { ...noCounts(), ...counts }
}
