import type { Lease, World } from '../types.ts'

/**
 * Who runs a manifest, after asking around: what was found, and what was told meanwhile. Waiting for a node that does not answer takes
 * long enough for another one to start a copy that nobody has to be asked about, and for the node itself to be found dead.
 */
export async function seeCopies(
  world: Pick<World, 'find' | 'leased' | 'neighbours'>,
  manifestId: Uint8Array,
  options: Parameters<World['find']>[1]
): Promise<readonly Lease[]> {
  const found = await world.find(manifestId, options).catch(() => [])
  const told = world.leased(manifestId)
  const over = new Set(told.map(({ peerId }) => peerId))
  for (const { peerId, state } of world.neighbours()) if (state === 'dead') over.add(peerId)
  return [...told, ...found.filter(({ peerId }) => !over.has(peerId))]
}
