import { expect } from 'chai'
import { type Count, isRight, type LiveCopy, whatIsWrong } from '../../src/scheduler/healing/count.ts'
import { Watched } from '../../src/scheduler/healing/watched.ts'

const copy = (peerId: string, ordinal: number, startedAtMs = 1): LiveCopy => {
  const versions = { version: 1, highest: 1 }
  return { peerId, ordinal, isReady: true, startedAtMs, ...versions }
}
const count = (wrong: Partial<Count>): Count => ({
  missing: [],
  outdated: [],
  surplus: [],
  live: [],
  ...wrong
})

describe('scheduler: since when something is wrong', () => {
  it('is since it was first seen, as long as the same is wrong', () => {
    const watched = new Watched()

    expect(watched.wrong(whatIsWrong(count({ missing: [1] })), 1_000)).to.equal(1_000)
    expect(watched.wrong(whatIsWrong(count({ missing: [1] })), 3_000)).to.equal(1_000)
  })

  it('begins anew with another matter, or a keeper that is to wait would act at once on what has just happened', () => {
    const watched = new Watched()
    const before = [whatIsWrong(count({ surplus: [copy('a', 0)] })), whatIsWrong(count({ missing: [2] }))]
    for (const [index, what] of before.entries()) watched.wrong(what, 1_000 + index)

    expect(watched.wrong(whatIsWrong(count({ missing: [0] })), 9_000)).to.equal(9_000)
  })

  it('begins anew when all was right meanwhile', () => {
    const watched = new Watched()
    watched.wrong('0', 1_000)
    watched.right()

    expect(watched.wrong('0', 9_000)).to.equal(9_000)
  })

  it('does not depend on the order in which leases came, nor on when copies were started', () => {
    const one = count({ surplus: [copy('a', 0), copy('b', 1)] })
    const other = count({ surplus: [copy('b', 1, 5), copy('a', 0, 7)] })

    expect(whatIsWrong(one)).to.equal(whatIsWrong(other))
    expect(isRight(one)).to.equal(false)
    expect(isRight(count({ live: [copy('a', 0)] }))).to.equal(true)
  })
})

describe('scheduler: who is about to run a copy', () => {
  it('is forgotten when it refuses, and not when another one took over', () => {
    const watched = new Watched()
    watched.expect('a', [0, 1], 1_000)
    watched.expect('b', [1], 2_000)
    for (const ordinal of [0, 1]) watched.forget(ordinal, 'a')

    expect(watched.pending(0, 2_000)).to.equal(undefined)
    expect(watched.pending(1, 2_000)).to.deep.equal({ peerId: 'b', isLate: false })
  })
})
