import { createHash } from 'node:crypto'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { generateSigningKey } from '../../src/identity/index.ts'
import { nearestFirst } from '../../src/providers/search/nearest.ts'

describe('providers: who is nearest', () => {
  it('is who has the smallest XOR of the hashes, as kad-dht ranks', () => {
    const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    const id = new Uint8Array([0x01, 0x55, 0x12, 0x20, ...new Uint8Array(32).fill(7)])
    const peers = Array.from({ length: 40 }, () => peerIdFromString(generateSigningKey().peerId))
    const target = BigInt(`0x${sha256(id.subarray(2))}`)
    const distance = (peer: (typeof peers)[number]) =>
      BigInt(`0x${sha256(peer.toMultihash().bytes)}`) ^ target

    const ordered = nearestFirst(id, peers)

    expect(new Set(ordered)).to.deep.equal(new Set(peers))
    for (const [index, peer] of ordered.slice(1).entries())
      expect(distance(ordered[index]!) < distance(peer)).to.equal(true)
  })
})
