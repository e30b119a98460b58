import { expect } from 'chai'
import { placeManifest } from '../../../src/client/apply/place.ts'
import type { SeenNode, Session } from '../../../src/client/index.ts'
import { decode, signObject } from '../../../src/envelope/index.ts'
import { CAPACITY_REQUEST, encodeBid, encodeBidList } from '../../../src/generated/fbs/index.ts'
import { generateSigningKey, type SigningKey } from '../../../src/identity/index.ts'
import { parseManifests } from '../../../src/manifest/index.ts'
import { bytesOf, NETWORK, NOW_MS, OWNER } from '../../envelope/fixtures.ts'
import { deployment, toYaml } from '../../fixtures/workload-files.ts'

const GIB = 1024 ** 3

function bid(key: SigningKey, requestId: Uint8Array, free: number, ordinals: number[] = []): Uint8Array {
  const body = encodeBid({
    requestId,
    nodeName: key.peerId.slice(-6),
    issuedAt: NOW_MS,
    freeCpuMillis: 1000 * free,
    freeMemoryBytes: GIB * free,
    freeStorageBytes: GIB * free,
    freePods: 10,
    allocatableCpuMillis: 1000 * free,
    allocatableMemoryBytes: GIB * free,
    upSeconds: 100,
    engines: ['podman'],
    scheduling: true,
    ordinals
  })
  return signObject({ kind: 'bid', body, key, networkId: NETWORK.id })
}

/** A session whose entry node answers with the bids it likes; a mock. */
function sessionWith(bids: (requestId: Uint8Array) => Uint8Array[]): Session {
  return {
    key: OWNER,
    connection: { networkId: NETWORK.id },
    entry: { publicKey: OWNER.publicKey },
    async *ask(_target: unknown, _protocol: unknown, encode: (replyKey: Uint8Array) => Uint8Array) {
      const { request } = decode(CAPACITY_REQUEST, encode(bytesOf('reply', 1216)))
      const entries = bids(request.requestId).map((one) => ({ bid: one }))
      yield encodeBidList({ bids: entries, asked: entries.length, members: entries.length })
    }
  } as unknown as Session
}

const seen = (key: SigningKey, member: boolean) =>
  ({
    peerId: key.peerId,
    publicKey: key.publicKey,
    name: key.peerId.slice(-6),
    member,
    labels: {}
  }) as SeenNode
const web = (replicas: number) => parseManifests(toYaml(deployment({ name: 'web', replicas })))[0]!

describe('client: where the copies of a manifest go', () => {
  it('19 Sybil bids: fifty nodes that nobody knows and promise everything get nothing', async () => {
    const member = generateSigningKey()
    const sybils = Array.from({ length: 50 }, () => generateSigningKey())
    const session = sessionWith((id) => [bid(member, id, 1), ...sybils.map((key) => bid(key, id, 1_000))])
    const nodes = [seen(member, true), ...sybils.slice(0, 25).map((key) => seen(key, false))]

    const { hands } = await placeManifest(web(3), { session, nodes })

    expect(hands.map(({ node }) => node.peerId)).to.deep.equal([member.peerId])
    expect(hands[0]!.ordinals).to.deep.equal([0, 1, 2])
  })

  it('takes no bid that answers another request, or that another key signed', async () => {
    const [a, b] = [generateSigningKey(), generateSigningKey()]
    const session = sessionWith((id) => {
      const forged = bid(b, id, 9)
      forged[forged.length - 1]! ^= 1
      return [bid(a, id, 1), bid(b, bytesOf('another', 16), 9), forged]
    })

    const { hands } = await placeManifest(web(2), { session, nodes: [seen(a, true), seen(b, true)] })

    expect(hands.map(({ node }) => node.peerId)).to.deep.equal([a.peerId])
  })

  it('leaves copies where they run, and places the others', async () => {
    const [a, b] = [generateSigningKey(), generateSigningKey()]
    const session = sessionWith((id) => [bid(a, id, 1, [0]), bid(b, id, 1)])
    const { hands } = await placeManifest(web(2), { session, nodes: [seen(a, true), seen(b, true)] })
    const byPeer = Object.fromEntries(hands.map(({ node, ordinals }) => [node.peerId, ordinals]))

    expect(byPeer).to.deep.equal({ [a.peerId]: [0], [b.peerId]: [1] })
  })
})
