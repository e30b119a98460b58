import { LEFT_GRACE_MS } from '../constants.ts'
import type { World } from '../types.ts'

/**
 * Whether nothing is to be expected of a node any more: not of one that was stopped in order a
 * moment ago, whose copies go on running while it is upgraded.
 */
export function isGone(world: Pick<World, 'neighbours'>, peerId: string): boolean {
  const node = world.neighbours().find((one) => one.peerId === peerId)
  if (node === undefined) return true
  const isAway = (node.silentMs ?? Number.POSITIVE_INFINITY) >= LEFT_GRACE_MS
  return node.state === 'dead' || (node.state === 'left' && isAway)
}

/** For people. */
export function nameOf(world: Pick<World, 'neighbours'>, peerId: string): string {
  return world.neighbours().find((one) => one.peerId === peerId)?.name ?? peerId.slice(-8)
}
