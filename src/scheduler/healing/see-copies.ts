import type { Lease, World } from '../types.ts'

/**
 * Who runs a manifest, after asking around: what was found, and what was told meanwhile. Waiting for a node that does not answer takes
 * long enough for another one to start a copy that nobody has to be asked about.
 */
export async function seeCopies(
  world: Pick<World, 'find' | 'leased'>,
  manifestId: Uint8Array,
  options: { readonly signal: AbortSignal }
): Promise<readonly Lease[]> {
  const found = await world.find(manifestId, options).catch(() => [])
  const told = world.leased(manifestId)
  return [...told, ...found.filter(({ peerId }) => told.every((lease) => lease.peerId !== peerId))]
}
