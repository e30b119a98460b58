import { type Random, type SimulatedNode, shuffled } from './simulated-tables.ts'

/** Neighbours that a node passes messages on to. Source: gossipsub's D, Dlo and Dhi. */
const D = 6
const D_LOW = 4
const D_HIGH = 12
/** Others that are told the ID of a message, the larger of both, at each of so many heartbeats. Source: gossipsub's constants. */
const D_LAZY = 6
const GOSSIP_FACTOR = 0.25
const HINT_HEARTBEATS = 3

export type GossipMesh = ReadonlyMap<SimulatedNode, ReadonlySet<SimulatedNode>>

/** Who passes on to whom, after the heartbeats of a quiet mesh: each that has too few takes others in. */
export function gossipMesh(nodes: readonly SimulatedNode[], random: Random): GossipMesh {
  const mesh = new Map(nodes.map((node) => [node, new Set<SimulatedNode>()]))
  for (const node of shuffled(nodes, random)) {
    const own = mesh.get(node)!
    if (own.size >= D_LOW) continue
    for (const other of shuffled(node.connected, random)) {
      if (own.size >= D) break
      if (own.has(other) || mesh.get(other)!.size >= D_HIGH) continue
      own.add(other)
      mesh.get(other)!.add(node)
    }
  }
  return mesh
}

/** One message: to all neighbours of its author (`floodPublish`), and from each that gets it to those it passes on to. */
export function spread(
  author: SimulatedNode,
  mesh: GossipMesh,
  random: Random
): { copies: number; hints: number } {
  const known = new Set([author])
  let copies = 0
  let onWay = [...author.connected].map((to) => ({ to, from: author }))
  while (onWay.length > 0) {
    copies += onWay.length
    const arrived = shuffled(onWay, random) // those of one hop, in any order
    onWay = []
    for (const { to, from } of arrived) {
      if (known.has(to)) continue
      known.add(to)
      for (const other of mesh.get(to)!)
        if (other !== from && other !== author) onWay.push({ to: other, from: to })
    }
  }
  let hints = 0
  for (const node of known) {
    const others = node.connected.size - mesh.get(node)!.size
    hints += HINT_HEARTBEATS * Math.floor(Math.min(others, Math.max(D_LAZY, GOSSIP_FACTOR * others)))
  }
  return { copies, hints }
}
