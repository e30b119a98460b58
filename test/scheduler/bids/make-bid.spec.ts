import { expect } from 'chai'
import type { BidRequest, BidRequestInit } from '../../../src/generated/fbs/index.ts'
import { generateSigningKey } from '../../../src/identity/index.ts'
import { canonicalRules, type PlacementRules } from '../../../src/manifest/index.ts'
import { makeBid, NO_RULES, openBid } from '../../../src/scheduler/bids/bid.ts'
import { capacityRequest } from '../../../src/scheduler/index.ts'
import { NETWORK, OWNER } from '../../envelope/fixtures.ts'
import { type Bidder, createBidders } from './world-of-bids.ts'

const NOTHING = { copies: 1, cpuMillis: 0, memoryBytes: 0, storageBytes: 0, explain: false }

function bidOf(bidder: Bidder, wanted: Omit<BidRequestInit, 'requestId'> = {}) {
  const { world } = createBidders([bidder])
  const request = capacityRequest({ ...NOTHING, owner: OWNER.publicKey, ...wanted }) as BidRequest
  const bid = makeBid(world, request)
  const context = { networkId: NETWORK.id, requestId: request.requestId, roundTripMs: 0 }
  return bid && openBid(bid, context)
}
const placement = (rules: Partial<PlacementRules>) => ({
  placement: canonicalRules({ ...NO_RULES, ...rules })
})
const SSD = placement({ nodeSelector: { disk: 'ssd' } })
const taint = { 'taint.beemesh.io/gpu': ':NoSchedule' }

describe('scheduler: what a node bids', () => {
  it('is what it has free, its labels, engines and what it runs', () => {
    const bid = bidOf({ labels: { disk: 'ssd' }, free: { cpuMillis: 700 } }, { ...SSD, cpuMillis: 700 })
    expect(bid).to.deep.include({ name: 'n0', labels: { disk: 'ssd' }, engines: ['mock'], refusals: [] })
    expect(bid?.free.cpuMillis).to.equal(700)
    expect(bid?.ordinals).to.deep.equal([])
  })

  for (const [why, bidder, wanted, reason] of [
    ['has too little CPU', { free: { cpuMillis: 699 } }, { cpuMillis: 700 }, /^lacks cpu: 1m short$/],
    ['has too little memory', { free: { memoryBytes: 1 } }, { memoryBytes: 2 }, /^lacks memory/],
    ['has too little disk', { free: { storageBytes: 1 } }, { storageBytes: 2 }, /^lacks disk/],
    ['has no room for a pod', { free: { pods: 0 } }, {}, /^lacks room for a pod/],
    ['has a full disk', { free: { storageBytes: 0 } }, {}, /last GiB of disk/],
    ['takes nothing', { scheduling: false }, {}, /^takes no workloads/],
    ['has another engine', {}, { engine: 'podman' }, /^has no engine podman$/],
    ['lacks the label', { labels: { disk: 'hdd' } }, SSD, /^has no label disk=ssd \(it has disk=hdd\)$/],
    ['is tainted', { labels: taint }, {}, /^has taint gpu:NoSchedule/],
    [
      'is not named',
      {},
      placement({ strategy: 'manual', nodes: ['n7'] }),
      /none of the nodes that are named/
    ],
    ['does not obey the owner', { owners: [generateSigningKey().peerId] }, {}, /^takes no workloads/]
  ] as const) {
    it(`is nothing when it ${why}`, () => {
      expect(bidOf(bidder, wanted)).to.equal(undefined)
    })

    it(`is the reason when it ${why} and is asked to explain, or runs a copy`, () => {
      for (const bid of [
        bidOf(bidder, { ...wanted, explain: true }),
        bidOf({ ...bidder, ordinals: [3] }, { ...wanted, manifestId: new Uint8Array(36) })
      ]) {
        expect(bid?.refusals).to.have.length(1)
        expect(bid?.refusals[0]).to.match(reason)
      }
    })
  }

  it('is no matter of where other copies are', () => {
    const apart = [{ topologyKey: 'kubernetes.io/hostname', required: true, weight: 0 }]
    const manifestId = new Uint8Array(36)
    const bid = bidOf({ ordinals: [0] }, { ...placement({ apart }), manifestId })
    expect(bid).to.deep.include({ ordinals: [0], refusals: [] })
  })
})
