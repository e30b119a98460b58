import { expect } from 'chai'
import fc from 'fast-check'
import { countCopies } from '../../../src/scheduler/healing/count.ts'
import type { Lease } from '../../../src/scheduler/types.ts'
import { bytesOf } from '../../envelope/fixtures.ts'

const RECORD = {
  manifestId: bytesOf('manifest', 36),
  version: 2,
  replicas: 3,
  perNode: false,
  tombstone: false
}
const lease = (
  peerId: string,
  ordinals: readonly number[],
  {
    version = 2,
    highest = version,
    state = 'running'
  }: { version?: number; highest?: number; state?: string } = {}
): Lease =>
  ({
    peerId,
    version,
    highest,
    workloads: ordinals.map((ordinal) => ({ ordinal, state, startedAt: 1 }))
  }) as unknown as Lease
const shown = (copies: readonly { peerId: string; ordinal: number }[]) =>
  copies.map(({ peerId, ordinal }) => `${peerId}${ordinal}`)

describe('scheduler: what of a manifest runs too little, too much, or too old', () => {
  it('names what is missing', () => {
    const count = countCopies(RECORD, [lease('a', [0]), lease('b', [2])])

    expect(count.missing).to.deep.equal([1])
    expect(count.surplus).to.deep.equal([])
  })

  it('keeps one of two with the same number, the same whoever looks', () => {
    const leases = [lease('a', [0, 1]), lease('b', [2, 1])]
    const one = countCopies(RECORD, leases)
    const other = countCopies(RECORD, leases.toReversed())

    expect(one.surplus).to.have.length(1)
    expect(shown(one.surplus)).to.deep.equal(shown(other.surplus))
  })

  it('keeps the one that is ready, and before that the newer', () => {
    const ready = [lease('a', [0]), lease('b', [0], { state: 'ready' })]
    expect(shown(countCopies({ ...RECORD, replicas: 1 }, ready).surplus)).to.deep.equal(['a0'])
    const older = [lease('a', [0]), lease('b', [0], { version: 1, highest: 2, state: 'ready' })]
    expect(shown(countCopies({ ...RECORD, replicas: 1 }, older).surplus)).to.deep.equal(['b0'])
  })

  it('keeps the one whose node is about to start the newest version, not one that was never given it', () => {
    const leases = [
      lease('a', [0], { version: 0, highest: 2 }),
      lease('b', [0], { version: 1, state: 'ready' })
    ]
    expect(shown(countCopies({ ...RECORD, replicas: 1 }, leases).surplus)).to.deep.equal(['b0'])
  })

  it('sees one copy where a node replaces it by a newer one and runs both for a moment', () => {
    const count = countCopies({ ...RECORD, replicas: 1 }, [lease('a', [0, 0], { version: 1, highest: 2 })])

    expect(count).to.deep.include({ missing: [], outdated: [], surplus: [] })
  })

  it('calls a copy outdated whose node has not heard of the newest version, not one that was rolled back', () => {
    const leases = [
      lease('a', [0], { version: 1 }),
      lease('b', [1], { version: 1, highest: 2 }),
      lease('c', [2])
    ]

    expect(shown(countCopies(RECORD, leases).outdated)).to.deep.equal(['a0'])
  })

  it('drains what is beyond the number only when the newest version is complete', () => {
    const two = { ...RECORD, replicas: 2 }
    expect(shown(countCopies(two, [lease('a', [0, 2], { version: 1 })]).surplus)).to.deep.equal([])
    expect(shown(countCopies(two, [lease('a', [0, 2]), lease('b', [1])]).surplus)).to.deep.equal(['a2'])
  })

  it('wants one on each node of a manifest that has one on every node', () => {
    const each = { ...RECORD, replicas: 1, perNode: true }
    const nodes = { wanted: ['a', 'b'], kept: new Set(['a', 'b', 'cordoned']) }
    const leases = [lease('a', [0]), lease('cordoned', [0]), lease('z', [0])]
    const count = countCopies(each, leases, nodes)

    expect(count.missing).to.have.length(1)
    expect(shown(count.surplus)).to.deep.equal(['z0'])
  })

  it('never drains the last copy of a number, whatever runs', () => {
    const peer = fc.constantFrom('a', 'b', 'c', 'd')
    const leases = fc.uniqueArray(
      fc.record({
        peerId: peer,
        ordinals: fc.array(fc.nat(4), { maxLength: 4 }),
        version: fc.integer({ min: 1, max: 2 })
      }),
      { selector: ({ peerId }) => peerId }
    )
    fc.assert(
      fc.property(leases, (given) => {
        const all = given.map(({ peerId, ordinals, version }) =>
          lease(peerId, ordinals, { version, highest: 2 })
        )
        const { surplus, live } = countCopies(RECORD, all)
        const going = new Set(shown(surplus))
        const staying = live.filter((copy) => !going.has(shown([copy])[0]!))
        for (const ordinal of [0, 1, 2])
          if (live.some((copy) => copy.ordinal === ordinal))
            expect(staying.filter((copy) => copy.ordinal === ordinal)).to.have.length(1)
      })
    )
  })
})
