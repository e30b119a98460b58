import { expect } from 'chai'
import type { BidRequest, BidRequestInit } from '../../../src/generated/fbs/index.ts'
import { canonicalRules } from '../../../src/manifest/index.ts'
import { makeBid, NO_RULES } from '../../../src/scheduler/bids/bid.ts'
import { collectBids } from '../../../src/scheduler/bids/collect-bids.ts'
import { MAX_ASKED, SELECTION_WINDOW_MS } from '../../../src/scheduler/constants.ts'
import { capacityRequest } from '../../../src/scheduler/index.ts'
import { OWNER } from '../../envelope/fixtures.ts'
import { type Bidder, createBidders } from './world-of-bids.ts'

const NEVER = Number.POSITIVE_INFINITY
const signal = new AbortController().signal
const requestFor = (wanted: Omit<BidRequestInit, 'requestId'> = {}) =>
  capacityRequest({
    copies: 1,
    cpuMillis: 100,
    memoryBytes: 0,
    storageBytes: 0,
    explain: false,
    owner: OWNER.publicKey,
    ...wanted
  }) as BidRequest
const late = (answersAtMs: number) => ({ answersAtMs })
const FULL: Bidder = { free: { cpuMillis: 0 } }
const many = (count: number, bidder: (index: number) => Bidder = () => ({})) =>
  Array.from({ length: count }, (_, index) => bidder(index))
const nodesSpread = canonicalRules({
  ...NO_RULES,
  spread: [{ maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', required: true }]
})

describe('scheduler: bids that come in', () => {
  it('are all that fit, without waiting, when all have answered', async () => {
    const { world, clock } = createBidders([{}, {}, FULL])
    const { bids, asked, members } = await collectBids(world, requestFor(), { signal })
    expect(bids.map(({ view }) => view.name)).to.deep.equal(['n0', 'n1'])
    expect({ asked, members, ms: clock.ms }).to.deep.equal({ asked: 3, members: 3, ms: 0 })
  })

  it('are enough after the window when most have answered', async () => {
    const { world, clock } = createBidders([{}, {}, {}, {}, {}, {}, late(NEVER), late(NEVER)])
    const { bids, asked } = await collectBids(world, requestFor(), { signal })
    expect({ bids: bids.length, asked, ms: clock.ms }).to.deep.equal({
      bids: 6,
      asked: 8,
      ms: SELECTION_WINDOW_MS
    })
  })

  it('are waited for beyond the window when only the quickest have answered, or these would get everything', async () => {
    const { world, clock } = createBidders([{}, ...many(7, () => late(400))])
    const { bids } = await collectBids(world, requestFor(), { signal })
    expect({ bids: bids.length, ms: clock.ms }).to.deep.equal({ bids: 8, ms: 2 * SELECTION_WINDOW_MS })
  })

  it('are not waited for without end', async () => {
    const { world, clock } = createBidders([{}, late(NEVER), late(NEVER), late(NEVER)])
    const { bids } = await collectBids(world, requestFor(), { signal })
    expect(bids).to.have.length(1)
    expect(clock.ms).to.equal(2_000)
  })

  it('are of members that live and may be asked', async () => {
    const { world, neighbours, asked } = createBidders([{}, {}, {}])
    Object.assign(neighbours[1]!, { state: 'dead' })
    const among = ({ name }: { name: string }) => name !== 'n0'
    const { bids, members } = await collectBids(world, requestFor(), { signal, among })
    expect({ names: bids.map(({ view }) => view.name), members }).to.deep.equal({ names: ['n2'], members: 1 })
    expect(asked).to.deep.equal(['n2'])
  })

  it('are left out when they are not of the node that was asked, of another request, or nothing at all', async () => {
    const others = createBidders([{}])
    const old = requestFor()
    const { world } = createBidders([
      {},
      { lie: (request) => [{ bid: makeBid(others.world, request)! }] },
      { lie: () => [{ bid: makeBid(others.world, old)! }] },
      { lie: () => [{ bid: new Uint8Array(7) }] },
      { lie: () => [] }
    ])
    const { bids, asked } = await collectBids(world, requestFor(), { signal })
    expect({ names: bids.map(({ view }) => view.name), asked }).to.deep.equal({ names: ['n0'], asked: 5 })
  })

  it('are of full nodes, too, when copies are spread over places', async () => {
    const { world } = createBidders([
      { labels: { zone: 'a' } },
      { labels: { zone: 'b' }, ...FULL },
      { labels: { zone: 'c' }, scheduling: false }
    ])
    const { bids } = await collectBids(world, requestFor({ placement: nodesSpread }), { signal })
    expect(bids.map(({ view }) => [view.name, view.refusals.length])).to.deep.equal([
      ['n0', 0],
      ['n1', 1],
      ['n2', 1]
    ])
  })

  describe('of a large mesh', () => {
    it('are no more than so many, whatever its size', async () => {
      for (const size of [MAX_ASKED, 100, 300]) {
        const { world } = createBidders(many(size))
        const { bids, asked, members } = await collectBids(world, requestFor({ copies: 3 }), { signal })
        expect({ bids: bids.length, asked, members }).to.deep.equal({
          bids: MAX_ASKED,
          asked: MAX_ASKED,
          members: size
        })
      }
    })

    it('are of all that run it, and of others', async () => {
      const { world } = createBidders(many(200, (index) => (index < 20 ? { ordinals: [index] } : {})))
      const request = requestFor({ copies: 20, manifestId: new Uint8Array(36) })
      const { bids } = await collectBids(world, request, { signal })
      expect(bids.filter(({ view }) => view.ordinals.length > 0)).to.have.length(20)
      expect(bids).to.have.length(64)
    })

    it('are of who runs it although its lease is not known here, when the search for it takes longer than the others to answer', async () => {
      const bidders = many(200, (index) => (index < 50 ? { ordinals: [index], isUnknown: true } : {}))
      const request = requestFor({ copies: 50, manifestId: new Uint8Array(36) })
      const runsOf = ({ bids }: Awaited<ReturnType<typeof collectBids>>) =>
        bids.filter(({ view }) => view.ordinals.length > 0).length
      const { world, clock } = createBidders(bidders, { searchMs: 200 })
      const found = await collectBids(world, request, { signal, search: true })
      expect([runsOf(found), found.bids.length, clock.ms]).to.deep.equal([50, 64, SELECTION_WINDOW_MS])
      const drawn = await collectBids(createBidders(bidders).world, request, { signal })
      expect(runsOf(drawn), 'by lot').to.be.lessThan(50)
    })

    it('are asked of others while too few would take a copy', async () => {
      const { world, clock } = createBidders(many(200, (index) => (index < 198 ? FULL : {})))
      const { bids, asked } = await collectBids(world, requestFor({ copies: 2 }), { signal })
      expect(bids.map(({ view }) => view.name).sort()).to.deep.equal(['n198', 'n199'])
      expect({ isMore: asked > MAX_ASKED, ms: clock.ms }).to.deep.equal({ isMore: true, ms: 0 })
    })

    it('are asked of others also when some of the first give no answer', async () => {
      const bidders = many(200, (index) => (index === 199 ? {} : index % 10 === 0 ? late(NEVER) : FULL))
      const { world, clock } = createBidders([FULL, ...bidders])
      const { bids } = await collectBids(world, requestFor(), { signal })
      expect(bids.map(({ view }) => view.name)).to.deep.equal(['n200'])
      expect(clock.ms).to.be.at.most(2_000)
    })
  })
})
