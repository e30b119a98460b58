import { expect } from 'chai'
import { meetOthers } from '../../../src/scheduler/keeping/pushing/meet-others.ts'
import type { Neighbour } from '../../../src/scheduler/types.ts'

const JUST_STARTED = { startedAtMs: 0, now: () => 100 }
const self = { self: true } as Neighbour
const other = { self: false } as Neighbour
const signal = new AbortController().signal

describe('scheduler: a node that has just started gives a version to keepers', () => {
  it('when it has met another member, not to itself alone before', async () => {
    let looks = 0
    const delay = async () => void looks++
    const neighbours = () => (looks < 3 ? [self] : [self, other])
    await meetOthers({ ...JUST_STARTED, neighbours, delay }, { signal })
    expect(looks).to.equal(3)
  })

  it('when it is clear that there is nobody to meet', async () => {
    let waitedMs = 0
    const delay = async (ms: number) => {
      waitedMs += ms
    }
    await meetOthers({ ...JUST_STARTED, neighbours: () => [self], delay }, { signal })
    expect(waitedMs).to.equal(3_000)
  })

  it('at once when it has been alone for long', async () => {
    const delay = () => Promise.reject(new Error('there is nothing to wait for'))
    await meetOthers({ startedAtMs: 0, now: () => 10_000, neighbours: () => [self], delay }, { signal })
  })
})
