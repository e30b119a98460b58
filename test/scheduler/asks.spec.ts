import { expect } from 'chai'
import { asksAlsoHere } from '../../src/scheduler/asks.ts'
import type { Asks } from '../../src/scheduler/types.ts'

const HERE = '12D3KooWHere'
const options = { signal: new AbortController().signal }
const record = new Uint8Array([1, 2, 3])
const asked = (what: string, log: string[]) => async (peerId: string) => {
  log.push(`${what} ${peerId}`)
  return {} as never
}

describe('scheduler: questions of a node to itself', () => {
  let log: string[]
  let asks: Asks

  beforeEach(() => {
    log = []
    const others = { keep: asked('keep', log), assign: asked('assign', log) }
    asks = asksAlsoHere({ ...others, release: asked('release', log), bid: asked('bid', log) }, () => ({
      peerId: HERE,
      assign: async ({ ordinals, record: own }, from) => {
        log.push(`here ${ordinals} ${own} ${from}`)
        return { highest: 7 }
      },
      release: async ({ ordinals }, from) => {
        log.push(`key for ${ordinals} ${from}`)
        return { code: 'NOT_KEPT' }
      }
    }))
  })

  it('are answered without dialling, as others would answer them', async () => {
    const verdict = await asks.assign(HERE, { record, ordinals: [2] }, options)
    const manifestId = new Uint8Array(36)
    const released = await asks.release(
      HERE,
      { manifestId, version: 1, ordinals: [2], sealingEpoch: 1 },
      options
    )

    expect(log).to.deep.equal([`here 2 1,2,3 ${HERE}`, `key for 2 ${HERE}`])
    expect(verdict).to.include({ highest: 7, retryable: false })
    expect(released).to.include({ code: 'NOT_KEPT' })
  })

  it('go to others when they are for others', async () => {
    await asks.assign('another', { record }, options)
    await asks.release('another', { manifestId: record, version: 1, ordinals: [], sealingEpoch: 1 }, options)

    expect(log).to.deep.equal(['assign another', 'release another'])
  })
})
