import { DEAD_GRACE_MS, LEFT_GRACE_MS } from '../constants.ts'
import type { World } from '../types.ts'

/**
 * Whether nothing is to be expected of a node any more: not of one whose daemon may just be started again, while its copies go on running.
 */
export function isGone(world: Pick<World, 'neighbours'>, peerId: string): boolean {
  const node = world.neighbours().find((one) => one.peerId === peerId)
  if (node === undefined) return true
  const silentMs = node.silentMs ?? Number.POSITIVE_INFINITY
  return (
    (node.state === 'dead' && silentMs >= DEAD_GRACE_MS) ||
    (node.state === 'left' && silentMs >= LEFT_GRACE_MS)
  )
}

/** For people. */
export function nameOf(world: Pick<World, 'neighbours'>, peerId: string): string {
  return world.neighbours().find((one) => one.peerId === peerId)?.name ?? peerId.slice(-8)
}
