import type { SeenNode } from '../nodes.ts'

/** Shares that rebuild a content key, and holders that each have one. Source: the issue on trust, 3-of-5. */
export const SHARE_THRESHOLD = 3
export const SHARE_HOLDERS = 5
/** In smaller meshes every node may have to stand in for every other, so the key is sealed to each. Source: ARCHITECTURE section 3. */
export const MIN_NODES_FOR_SHARES = 4

export interface KeptFor {
  /** Nodes that are to hold a share; none in small meshes. */
  readonly holders: readonly SeenNode[]
  readonly threshold: number
  /** Nodes that the content key is sealed to although they run no copy yet. */
  readonly standbys: readonly SeenNode[]
}

/**
 * Who is to bring the content key back when the nodes that run a manifest are gone. Holders are members that run no copy first, by lot:
 * never by nearness to the manifest, because anybody can choose to be near.
 */
export function shareOut(
  nodes: readonly SeenNode[],
  { running, random = Math.random }: { readonly running: readonly SeenNode[]; readonly random?: () => number }
): KeptFor {
  const members = nodes.filter(({ member, state }) => member && (state === 'alive' || state === 'suspect'))
  const runs = new Set(running.map(({ peerId }) => peerId))
  const others = members.filter(({ peerId }) => !runs.has(peerId))
  if (members.length < MIN_NODES_FOR_SHARES) return { holders: [], threshold: 0, standbys: others }
  const lots = members.map((node) => ({ node, lot: random() + (runs.has(node.peerId) ? 1 : 0) }))
  const holders = lots.sort((a, b) => a.lot - b.lot).map(({ node }) => node)
  return { holders: holders.slice(0, SHARE_HOLDERS), threshold: SHARE_THRESHOLD, standbys: [] }
}
