import { expect } from 'chai'
import type { BidList, BidRequest } from '../../src/generated/fbs/index.ts'
import { collectBids } from '../../src/scheduler/bids/collect-bids.ts'
import { SELECTION_WINDOW_MS } from '../../src/scheduler/constants.ts'
import { capacityRequest } from '../../src/scheduler/index.ts'
import type { Neighbour, World } from '../../src/scheduler/types.ts'

/** Eight nodes that answer a request for bids when their time has come, on a clock that only waiting moves. */
function createWorld(answersAtMs: readonly number[]): { world: World; clock: { ms: number } } {
  const clock = { ms: 0 }
  const waiting: { atMs: number; wake: () => void }[] = []
  const at = (atMs: number) => new Promise<void>((wake) => waiting.push({ atMs, wake }))
  const nodes = answersAtMs.map((_, index) => ({ peerId: `n${index}`, state: 'alive', self: false }))
  const world = {
    neighbours: () => nodes as unknown as Neighbour[],
    leased: () => [],
    random: () => 0,
    async delay(ms: number) {
      clock.ms += ms
      for (const one of waiting.filter(({ atMs }) => atMs <= clock.ms)) one.wake()
      await new Promise(setImmediate) // what was woken runs first
    },
    asks: {
      async bid(peerId: string): Promise<BidList> {
        await at(answersAtMs[Number(peerId.slice(1))]!)
        return { bids: [{ bid: new Uint8Array(1), roundTripMs: 0 }], asked: 1, members: 1 }
      }
    }
  } as unknown as World
  return { world, clock }
}

const NEVER = Number.POSITIVE_INFINITY
const signal = new AbortController().signal
const oneCopy = capacityRequest({ copies: 1 }) as BidRequest

describe('scheduler: bids that come in', () => {
  it('are enough after the window when most have answered', async () => {
    const { world, clock } = createWorld([10, 10, 10, 10, 10, 10, NEVER, NEVER])

    const { bids, asked } = await collectBids(world, oneCopy, { signal })

    expect({ bids: bids.length, asked, ms: clock.ms }).to.deep.equal({
      bids: 6,
      asked: 8,
      ms: SELECTION_WINDOW_MS
    })
  })

  it('are waited for beyond the window when only the quickest have answered, or these would get everything', async () => {
    const { world, clock } = createWorld([10, 400, 400, 400, 400, 400, 400, 400])

    const { bids } = await collectBids(world, oneCopy, { signal })

    expect({ bids: bids.length, ms: clock.ms }).to.deep.equal({ bids: 8, ms: 2 * SELECTION_WINDOW_MS })
  })

  it('are not waited for without end', async () => {
    const { world, clock } = createWorld([10, NEVER, NEVER, NEVER])

    const { bids } = await collectBids(world, oneCopy, { signal })

    expect(bids).to.have.length(1)
    expect(clock.ms).to.equal(2_000)
  })
})
