import { expect } from 'chai'
import { meetOthers } from '../../../src/scheduler/keeping/meet-others.ts'
import type { Neighbour } from '../../../src/scheduler/types.ts'

const self = { self: true } as Neighbour
const other = { self: false } as Neighbour
const signal = new AbortController().signal

describe('scheduler: a node that has just started gives a version to keepers', () => {
  it('when it has met another member, not to itself alone before', async () => {
    let looks = 0
    const delay = async () => void looks++
    await meetOthers({ neighbours: () => (looks < 3 ? [self] : [self, other]), delay }, { signal })
    expect(looks).to.equal(3)
  })

  it('when it is clear that there is nobody to meet', async () => {
    let waitedMs = 0
    const delay = async (ms: number) => {
      waitedMs += ms
    }
    await meetOthers({ neighbours: () => [self], delay }, { signal })
    expect(waitedMs).to.equal(3_000)
  })
})
