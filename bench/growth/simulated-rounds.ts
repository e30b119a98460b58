import { DHT_COPIES, MAX_ASKED_PEERS, NEAREST_FIRST } from '../../src/providers/constants.ts'
import { type Counts, noCounts } from './count.ts'
import type { Measured } from './measured.ts'
import { gossipMesh, spread } from './simulated-gossip.ts'
import { closest, joinedNodes, kadIdOf, type SimulatedNode, seededRandom } from './simulated-tables.ts'
import { walk } from './simulated-walk.ts'

/**
 * The same as on real nodes, without a network: nobody is late, gone or busy, and answers come in the order of the questions. What is
 * simulated is who knows whom and who asks whom; the limits are those of src.
 */
export function simulate(size: number, rounds: number, seed: number): Measured {
  const random = seededRandom(seed)
  const nodes = joinedNodes(size, random, (node) => walk(node, node.kadId, random))
  const mesh = gossipMesh(nodes, random)
  const pick = () => nodes[Math.floor(random() * size)]!
  const measured = { announce: [] as Counts[], lookupFirst: [] as Counts[], lookupAll: [] as Counts[] }
  for (let round = 0; round < rounds; round++) {
    const [provider, target] = [pick(), kadIdOf(`manifest ${round} ${random()}`)]
    const { asked, closest } = walk(provider, target, random)
    const holders = new Set(closest.slice(0, DHT_COPIES))
    const { copies, hints } = spread(provider, mesh, random)
    measured.announce.push({
      ...noCounts(),
      findNode: 2 * asked.size,
      addProvider: holders.size,
      gossip: copies,
      hint: hints
    })
    const search = (first: boolean): Counts => {
      let asker = pick()
      while (asker === provider) asker = pick()
      return lookUp(asker, {
        provider,
        target,
        holders,
        first,
        walk: () => walk(asker, target, random).asked
      })
    }
    measured.lookupFirst.push(search(true))
    measured.lookupAll.push(search(false))
  }
  return { nodes: size, connections: nodes.map(({ connected }) => connected.size), ...measured }
}

interface Sought {
  readonly provider: SimulatedNode
  readonly target: number
  /** Of the record in the DHT. */
  readonly holders: ReadonlySet<SimulatedNode>
  /** One is enough. */
  readonly first: boolean
  readonly walk: () => ReadonlySet<SimulatedNode>
}

/**
 * The order of `findEach`: whom the own records name, then whoever is connected, the nearest first, then the DHT. Each asked node answers
 * before the next are asked, and names the provider when it holds its record.
 */
function lookUp(asker: SimulatedNode, { provider, target, holders, first, walk }: Sought): Counts {
  const asked = new Set<SimulatedNode>()
  if (holders.has(asker)) asked.add(provider)
  const connected = closest(asker.connected, target, MAX_ASKED_PEERS)
  for (const atOnce of [...NEAREST_FIRST, MAX_ASKED_PEERS]) {
    if (first && asked.has(provider)) break
    for (const peer of connected.splice(0, atOnce)) {
      asked.add(peer)
      if (holders.has(peer)) asked.add(provider)
    }
  }
  let getProviders = 0
  if (!asked.has(provider)) {
    getProviders = walk().size
    asked.add(provider)
  }
  return { ...noCounts(), ask: 2 * asked.size, getProviders: 2 * getProviders }
}
