import { expect } from 'chai'
import fc from 'fast-check'
import { dealCopies } from '../../../src/client/apply/deal.ts'

const nodes = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 20 })
const replicas = fc.integer({ min: 0, max: 200 })
const runs = { seed: 2026, numRuns: 300 }

describe('client: dealing copies', () => {
  it('gives every copy to exactly one node', () => {
    fc.assert(
      fc.property(nodes, replicas, (some, count) => {
        const dealt = dealCopies(count, some).flatMap(({ ordinals }) => ordinals)
        expect(dealt.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: count }, (_, index) => index))
      }),
      runs
    )
  })

  it('gives no node more than one copy more than another, the first ones first', () => {
    fc.assert(
      fc.property(nodes, replicas, (some, count) => {
        const hands = new Map(dealCopies(count, some).map(({ node, ordinals }) => [node, ordinals.length]))
        const sizes = some.map((node) => hands.get(node) ?? 0)
        expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(1)
        expect(sizes).to.deep.equal([...sizes].sort((a, b) => b - a))
      }),
      runs
    )
  })

  it('leaves out nodes without a copy, but tells one node of a manifest without copies', () => {
    expect(dealCopies(1, ['a', 'b'])).to.deep.equal([{ node: 'a', ordinals: [0] }])
    expect(dealCopies(0, ['a', 'b'])).to.deep.equal([{ node: 'a', ordinals: [] }])
    expect(dealCopies(3, ['a', 'b'])).to.deep.equal([
      { node: 'a', ordinals: [0, 2] },
      { node: 'b', ordinals: [1] }
    ])
  })
})
