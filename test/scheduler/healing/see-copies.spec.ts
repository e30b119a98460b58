import { expect } from 'chai'
import { seeCopies } from '../../../src/scheduler/healing/see-copies.ts'
import type { Lease, Neighbour } from '../../../src/scheduler/types.ts'

const lease = (peerId: string): Lease => ({ peerId, version: 1, highest: 1, workloads: [] })

describe('scheduler: who runs a manifest', () => {
  const signal = AbortSignal.timeout(1_000)
  const see = async (found: Promise<Lease[]>, told: Lease[], dead: readonly string[] = []) => {
    const neighbours = () => dead.map((peerId) => ({ peerId, state: 'dead' }) as Neighbour)
    const leases = await seeCopies(
      { find: () => found, neighbours, leased: () => told },
      new Uint8Array(36),
      {
        signal
      }
    )
    return leases.map(({ peerId }) => peerId)
  }

  it('also who told so while a silent node was waited for', async () => {
    expect(await see(Promise.resolve([lease('a')]), [lease('a'), lease('b')])).to.have.members(['a', 'b'])
  })

  it('not who was found dead while others were asked', async () => {
    expect(await see(Promise.resolve([lease('a'), lease('b')]), [lease('b')], ['a'])).to.deep.equal(['b'])
  })

  it('who told so when nobody can be asked', async () => {
    expect(await see(Promise.reject(new Error('nobody')), [lease('b')])).to.deep.equal(['b'])
  })
})
