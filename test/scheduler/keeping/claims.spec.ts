import { expect } from 'chai'
import { STARTING_MS } from '../../../src/scheduler/constants.ts'
import { Claims } from '../../../src/scheduler/keeping/claims.ts'
import type { CheckedRecord } from '../../../src/scheduler/types.ts'

const record = { digest: new Uint8Array(32) } as CheckedRecord
const asked = { from: 'back', nowMs: 1_000, isNearest: false, isGone: () => false }

describe('scheduler: copies that a node which comes back would start again', () => {
  it('are taken when another node was told to run them, and not when it was this one', () => {
    const claims = new Claims()
    claims.note(record, [0, 1], { peerId: 'other', atMs: 1_000 })
    claims.note(record, [1], { peerId: 'back', atMs: 1_000 })
    expect(claims.taken(record, [0, 1, 2], asked)).to.deep.equal([0])
  })

  it('are free again when they should have shown long ago, or when their node is gone', () => {
    const claims = new Claims()
    claims.note(record, [0], { peerId: 'other', atMs: 1_000 })
    expect(claims.taken(record, [0], { ...asked, nowMs: 1_000 + STARTING_MS })).to.deep.equal([])
    expect(claims.taken(record, [0], { ...asked, isGone: () => true })).to.deep.equal([])
  })

  it("are the first one's of two that come back, as the nearest keeper alone says", () => {
    const claims = new Claims()
    claims.note(record, [0], { peerId: 'other', atMs: 1_000, isResuming: true })
    expect(claims.taken(record, [0], asked)).to.deep.equal([])
    expect(claims.taken(record, [0], { ...asked, isNearest: true })).to.deep.equal([0])
  })

  it('of another version are another matter', () => {
    const claims = new Claims()
    claims.note(record, [0], { peerId: 'other', atMs: 1_000 })
    const newer = { digest: new Uint8Array(32).fill(1) } as CheckedRecord
    expect(claims.taken(newer, [0], asked)).to.deep.equal([])
  })

  it('which another began since this node was asked to run them are not this one’s any more', () => {
    const claims = new Claims()
    claims.note(record, [0, 1], { peerId: 'other', atMs: 1_000 })
    claims.note(record, [1, 2], { peerId: 'back', atMs: 1_500 })
    expect(claims.begunSince(record, [0, 1, 2], 'back', 999)).to.deep.equal([0])
    expect(claims.begunSince(record, [0, 1, 2], 'back', 1_000)).to.deep.equal([]) // the keeper knew when it asked
  })
})
