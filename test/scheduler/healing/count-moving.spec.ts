import { expect } from 'chai'
import { countCopies } from '../../../src/scheduler/healing/count.ts'
import { Watched } from '../../../src/scheduler/healing/watched.ts'
import type { Lease } from '../../../src/scheduler/types.ts'

const record = { manifestId: new Uint8Array(36), version: 2, replicas: 2, perNode: false, tombstone: false }

/** A node's lease: copies as "ordinal state". */
function lease(peerId: string, copies: readonly string[], { version = 2, highest = 2 } = {}): Lease {
  const workloads = copies.map((text) => {
    const [ordinal, state = 'running'] = text.split(' ')
    return { ordinal: Number(ordinal), state, startedAt: 1 }
  })
  return { peerId, version, highest, workloads } as unknown as Lease
}

describe('scheduler: what runs too much', () => {
  it('is not the pair of copies that one node has while it replaces one by the other', () => {
    const leases = [lease('a', ['0', '0', '1', '1'], { version: 1 })]
    expect(countCopies(record, leases)).to.deep.include({ surplus: [], missing: [] })
  })

  it('is neither the copy that a node gives away nor the one that takes over, though only the old one is ready', () => {
    const leases = [lease('a', ['0 stopping', '1']), lease('b', ['0'])]
    expect(countCopies(record, leases)).to.deep.include({ surplus: [], missing: [] })
  })

  it('is one of two copies on two nodes', () => {
    const { surplus } = countCopies(record, [lease('a', ['0', '1']), lease('b', ['0 ready'])])
    expect(surplus.map(({ peerId, ordinal }) => [peerId, ordinal])).to.deep.equal([['a', 0]])
  })

  it('is everything when there are to be no copies any more, also on nodes that have not heard of it', () => {
    const leases = [lease('a', ['0', '1'], { version: 1, highest: 1 })]
    expect(countCopies({ ...record, replicas: 0 }, leases).surplus).to.have.length(2)
  })
})

describe('scheduler: whether keepers bring the newest version to nodes', () => {
  it('not while their owner goes from node to node, but when it has stopped doing so', () => {
    const watched = new Watched()
    expect(watched.mayUpdate(3, 0, 2_000)).to.equal(false)
    expect(watched.mayUpdate(2, 0, 28_000)).to.equal(false) // another node was updated
    expect(watched.mayUpdate(2, 0, 50_000)).to.equal(false)
    expect(watched.mayUpdate(2, 0, 58_000)).to.equal(true)
    expect(watched.mayUpdate(1, 0, 59_000)).to.equal(true) // now it is the keeper that goes from node to node
  })

  it('at once when a node comes back with what it ran long ago', () => {
    expect(new Watched().mayUpdate(1, 0, 3_600_000)).to.equal(true)
  })
})
