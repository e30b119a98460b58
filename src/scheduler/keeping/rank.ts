import { createHash } from 'node:crypto'
import { peerIdMultihash } from '../../identity/index.ts'
import type { Neighbour } from '../types.ts'

/** Where members lie in the DHT's metric; a member costs one hash in its life. Bounded by forgetting all. */
const places = new Map<string, Buffer>()
const MAX_PLACES = 20_000

/**
 * Members nearest to a manifest first: XOR of sha256(multihash of the manifest ID) and sha256(multihash of the peer ID), as js-libp2p ranks,
 * too.
 * @param manifestId Uint8Array(36), a CIDv1 whose last 34 bytes are its multihash
 */
export function rank<T extends Pick<Neighbour, 'peerId' | 'publicKey'>>(
  manifestId: Uint8Array,
  members: readonly T[]
): T[] {
  const target = sha256(manifestId.subarray(2))
  return members
    .map((member) => ({ member, place: placeOf(member) }))
    .sort((a, b) => compare(a.place, b.place, target))
    .map(({ member }) => member)
}

function compare(a: Buffer, b: Buffer, target: Buffer): number {
  for (let i = 0; i < target.byteLength; i++) {
    const difference = (a[i]! ^ target[i]!) - (b[i]! ^ target[i]!)
    if (difference !== 0) return difference
  }
  return 0
}

function placeOf({ peerId, publicKey }: Pick<Neighbour, 'peerId' | 'publicKey'>): Buffer {
  const known = places.get(peerId)
  if (known !== undefined) return known
  if (places.size >= MAX_PLACES) places.clear()
  const place = sha256(peerIdMultihash(publicKey))
  places.set(peerId, place)
  return place
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
