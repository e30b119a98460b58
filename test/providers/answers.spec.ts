import { expect } from 'chai'
import { decode, PROVIDER_LIST } from '../../src/envelope/index.ts'
import { answerOwner, canBeChecked } from '../../src/providers/answers.ts'
import { CLOCK_SKEW_MS, LEASE_MS } from '../../src/providers/constants.ts'
import type { FindOptions, ProviderView } from '../../src/providers/index.ts'

describe('providers: what is passed on of a lease that was renewed', () => {
  const nowMs = 1_800_000_000_000
  const id = new Uint8Array(36).fill(1)
  const view = (ageMs: number, source: ProviderView['source'] = 'cache') =>
    ({
      source,
      leaseUntilMs: nowMs - ageMs + LEASE_MS,
      statement: new Uint8Array([ageMs / 1_000])
    }) as ProviderView

  /** What the owner gets where `cached` is known and `fresh` is what providers say when they are asked. */
  async function answered(cached: ProviderView[], fresh: ProviderView[] = []) {
    const asked: boolean[] = []
    const bodies: Uint8Array[] = []
    const request = {
      payload: { manifestIds: [{ value: id }] },
      reply: { send: async (body: Uint8Array) => void bodies.push(body) }
    }
    const find = async (_id: Uint8Array, options: FindOptions) => {
      asked.push(options.fresh ?? false)
      return options.fresh ? fresh : cached
    }
    await answerOwner(request as never, find, () => nowMs)
    const ages = decode(PROVIDER_LIST, bodies[0]!).providers.map(({ statement }) => statement[0]! * 1_000)
    return { asked, ages }
  }

  it('is a statement that whoever gets it can still check', () => {
    expect(canBeChecked(view(1_000), nowMs)).to.equal(true)
    expect(canBeChecked(view(LEASE_MS + CLOCK_SKEW_MS), nowMs), 'older than another would take').to.equal(
      false
    )
    expect(canBeChecked(view(200_000, 'stale'), nowMs), 'says itself that it is old').to.equal(true)
  })

  it('is what is known while that is so, without asking anybody', async () => {
    expect(await answered([view(1_000), view(2_000)])).to.deep.equal({ asked: [false], ages: [1_000, 2_000] })
  })

  it('is asked for anew where one is too old for the owner, and left out when nobody says it again', async () => {
    expect(await answered([view(100_000)], [view(0)])).to.deep.equal({ asked: [false, true], ages: [0] })
    expect(await answered([view(100_000)], [view(100_000)])).to.deep.equal({ asked: [false, true], ages: [] })
  })
})
