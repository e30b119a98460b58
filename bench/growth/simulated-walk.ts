import { KAD_ALPHA, KAD_PATHS } from '../../src/node/libp2p.ts'
import {
  closest,
  distance,
  K,
  meet,
  type Random,
  type SimulatedNode,
  shuffled,
  tableOf
} from './simulated-tables.ts'

export interface Walk {
  /** Who was asked, each once. */
  readonly asked: ReadonlySet<SimulatedNode>
  /** The closest of those. */
  readonly closest: readonly SimulatedNode[]
}

/**
 * A walk through the DHT as kad-dht 16 does it (query-path.ts): the K closest of the own table are dealt out to the paths; a path asks
 * whoever of its queue may still be among its K closest, and queues of each answer those that are closer than who gave it. Whoever is
 * heard of is dialled and gets into the table.
 */
export function walk(asker: SimulatedNode, target: number, random: Random): Walk {
  const asked = new Set<SimulatedNode>()
  const starting = shuffled(closest(tableOf(asker), target), random)
  const seen = new Set(starting)
  const paths = Array.from({ length: KAD_PATHS }, (_, path) => ({
    queue: starting.filter((_, index) => index % KAD_PATHS === path),
    answered: [] as SimulatedNode[]
  }))
  while (paths.some(({ queue }) => queue.length > 0))
    for (const path of paths) {
      const mayCount = (node: SimulatedNode) =>
        path.answered.length < K ||
        distance(node.kadId, target) < distance(path.answered.at(-1)!.kadId, target)
      const now = closest(path.queue, target, KAD_ALPHA)
      path.queue = path.queue.filter((node) => !now.includes(node))
      const sent = now.filter(mayCount) // all at the same time, before any of them answers
      for (const peer of sent) {
        asked.add(peer)
        meet(asker, peer)
        path.answered = closest([...path.answered, peer], target)
        for (const heard of closest(tableOf(peer), target, K + 1)
          .filter((one) => one !== asker)
          .slice(0, K)) {
          meet(asker, heard)
          if (seen.has(heard) || !mayCount(heard)) continue
          if (distance(heard.kadId, target) >= distance(peer.kadId, target)) continue
          seen.add(heard)
          path.queue.push(heard)
        }
      }
    }
  return { asked, closest: closest(asked, target) }
}
