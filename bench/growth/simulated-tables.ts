import { createHash } from 'node:crypto'
import { MAX_DIALLED } from '../../src/members/constants.ts'
import { KAD_PREFIX_LENGTH } from '../../src/node/libp2p.ts'

/** Peers in a bucket, and the closest that a walk looks for. Source: kad-dht's K. */
export const K = 20

export interface SimulatedNode {
  readonly index: number
  /** First 32 bits of the SHA-256 of its name: enough to tell a thousand apart. */
  readonly kadId: number
  /** In the order in which they met, as in libp2p's own map. */
  readonly connected: Set<SimulatedNode>
  /** By the first bits of the peer's ID, which is what kad-dht's splitting buckets come to. */
  readonly buckets: Map<number, SimulatedNode[]>
}

export type Random = () => number

/** Numbers in [0, 1) that a seed repeats: mulberry32. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function kadIdOf(name: string): number {
  return createHash('sha256').update(name).digest().readUInt32BE(0)
}

export function shuffled<T>(values: Iterable<T>, random: Random): T[] {
  const list = [...values]
  for (let index = list.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1))
    ;[list[index], list[other]] = [list[other]!, list[index]!]
  }
  return list
}

/** The closest of some nodes to an ID, the closest first. */
export function closest(nodes: Iterable<SimulatedNode>, kadId: number, most = K): SimulatedNode[] {
  return [...nodes].sort((a, b) => distance(a.kadId, kadId) - distance(b.kadId, kadId)).slice(0, most)
}

export function distance(a: number, b: number): number {
  return (a ^ b) >>> 0
}

export function* tableOf({ buckets }: SimulatedNode): Generator<SimulatedNode> {
  for (const bucket of buckets.values()) yield* bucket
}

/** Two nodes have a connection, and so each takes the other into its table while there is room. */
export function meet(a: SimulatedNode, b: SimulatedNode): void {
  if (a === b || a.connected.has(b)) return
  for (const [one, other] of [
    [a, b],
    [b, a]
  ] as const) {
    one.connected.add(other)
    const prefix = other.kadId >>> (32 - KAD_PREFIX_LENGTH)
    const bucket = one.buckets.get(prefix) ?? []
    one.buckets.set(prefix, bucket)
    if (bucket.length < K) bucket.push(other) // a full one keeps the old, because all of them answer
  }
}

/**
 * Nodes that have joined one after another through the first: each dials members it hears of while it has fewer than
 * {@link MAX_DIALLED} connections, those that were there dial it by the same rule, and it looks itself up.
 */
export function joinedNodes(
  size: number,
  random: Random,
  lookUp: (node: SimulatedNode) => void
): SimulatedNode[] {
  const nodes: SimulatedNode[] = []
  for (let index = 0; index < size; index++) {
    const kadId = kadIdOf(`node ${index} ${random()}`)
    const node: SimulatedNode = { index, kadId, connected: new Set(), buckets: new Map() }
    if (index > 0) meet(node, nodes[0]!)
    for (const other of shuffled(nodes, random))
      if (node.connected.size < MAX_DIALLED || other.connected.size < MAX_DIALLED) meet(node, other)
    nodes.push(node)
    lookUp(node)
  }
  for (const node of nodes) lookUp(node) // as each does again and again, having missed those that came later
  return nodes
}
