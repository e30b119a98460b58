import type { World } from '../types.ts'

/** Whether nothing is to be expected of a node any more. */
export function isGone(world: Pick<World, 'neighbours'>, peerId: string): boolean {
  const node = world.neighbours().find((one) => one.peerId === peerId)
  return node === undefined || node.state === 'dead' || node.state === 'left'
}

/** For people. */
export function nameOf(world: Pick<World, 'neighbours'>, peerId: string): string {
  return world.neighbours().find((one) => one.peerId === peerId)?.name ?? peerId.slice(-8)
}
