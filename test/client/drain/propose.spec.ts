import { expect } from 'chai'
import type { Wanted } from '../../../src/client/apply/place.ts'
import { afterMove, proposeMove } from '../../../src/client/drain/propose.ts'
import { type BidView, rulesOf } from '../../../src/scheduler/index.ts'

const GIB = 1024 ** 3
const wanted = (more: Partial<Wanted['rules']> = {}): Wanted => ({
  manifestId: new Uint8Array(36),
  rules: { ...rulesOf(undefined), ...more },
  perCopy: { cpuMillis: 1_000, memoryBytes: GIB, storageBytes: 0 },
  perNode: false,
  replicas: 1
})

/** A node of 10 cores and 10 GiB with so many copies of one core and one GiB. */
function bid(name: string, used: number, more: Partial<BidView> = {}): BidView {
  const room = (copies: number) => ({
    cpuMillis: 1_000 * copies,
    memoryBytes: GIB * copies,
    storageBytes: GIB,
    pods: 100 + copies
  })
  return {
    peerId: name,
    name,
    labels: {},
    engines: ['mock'],
    scheduling: true,
    free: room(10 - used),
    allocatable: room(10),
    load: 0,
    reliability: 0,
    ordinals: [],
    refusals: [],
    bid: new Uint8Array(),
    ...more
  }
}

describe('client: which copies would better run elsewhere', () => {
  it('those on a full node, when another is empty', () => {
    const full = bid('full', 8, { ordinals: [0] })
    expect(proposeMove(wanted(), [full, bid('empty', 0)])).to.include({
      ordinal: 0,
      from: 'full',
      to: 'empty'
    })
  })

  it('those of a node that may not run them any more, wherever they may', () => {
    const cordoned = bid('cordoned', 1, { ordinals: [0], scheduling: false })
    expect(proposeMove(wanted(), [cordoned, bid('other', 5)])).to.deep.include({
      to: 'other',
      reason: 'cordoned may not run it any more'
    })
  })

  it('none where it would only swap, and none after it was moved', () => {
    for (let used = 1; used < 9; used++)
      for (let other = 0; other < 9; other++) {
        const bids = [bid('a', used, { ordinals: [0] }), bid('b', other)]
        const move = proposeMove(wanted(), bids)
        if (other + 1 >= used) expect(move, `${used} and ${other}`).to.equal(undefined)
        if (move !== undefined)
          expect(proposeMove(wanted(), afterMove(bids, move, wanted()))).to.equal(undefined)
      }
  })

  it('none of what is packed together, for the sake of an even number', () => {
    const bids = [bid('a', 6, { ordinals: [0] }), bid('b', 0)]
    expect(proposeMove(wanted({ strategy: 'binpack' }), bids)).to.equal(undefined)
  })

  it('two on one node, when another has none', () => {
    const bids = [bid('a', 2, { ordinals: [0, 1] }), bid('b', 0)]
    const move = proposeMove(wanted({ strategy: 'spread' }), bids)!
    expect(move).to.include({ from: 'a', to: 'b' })
    expect(proposeMove(wanted({ strategy: 'spread' }), afterMove(bids, move, wanted()))).to.equal(undefined)
  })
})
