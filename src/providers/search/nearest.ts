import { createHash } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'

/**
 * Peers in the order of their distance to a manifest in the DHT's metric: XOR of sha256(multihash of the manifest ID) and
 * sha256(multihash of the peer ID). The nearest twenty of the mesh are those that kad-dht gives the records to.
 * @param manifestId Uint8Array(36), a CIDv1 whose last 34 bytes are its multihash
 */
export function nearestFirst(manifestId: Uint8Array, peers: readonly PeerId[]): PeerId[] {
  const target = sha256(manifestId.subarray(2))
  return peers
    .map((peer) => ({ peer, distance: xor(sha256(peer.toMultihash().bytes), target) }))
    .sort((a, b) => Buffer.compare(a.distance, b.distance))
    .map(({ peer }) => peer)
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ b[index]!))
}
