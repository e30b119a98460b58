import { expect } from 'chai'
import { ReplayWindow } from '../../src/envelope/index.ts'
import { bytesOf, NOW_MS } from './fixtures.ts'

const ALICE = bytesOf('alice', 32)
const BOB = bytesOf('bob', 32)
const nonce = (i: number) => bytesOf(`nonce ${i}`, 16)

describe('replay window', () => {
  it('calls a nonce fresh once, whatever timestamp comes with it', () => {
    const window = new ReplayWindow()

    expect(window.insert(ALICE, nonce(1), NOW_MS, NOW_MS)).to.equal('fresh')
    expect(window.insert(ALICE, nonce(1), NOW_MS, NOW_MS)).to.equal('replayed')
    expect(window.insert(ALICE, nonce(1), NOW_MS - 200_000, NOW_MS)).to.equal('replayed')
    expect(window.insert(BOB, nonce(1), NOW_MS, NOW_MS)).to.equal('fresh')
  })

  it('still knows a nonce at the end of the clock window', () => {
    const window = new ReplayWindow()
    window.insert(ALICE, nonce(1), NOW_MS + 30_000, NOW_MS)

    expect(window.insert(ALICE, nonce(1), NOW_MS + 30_000, NOW_MS + 330_000)).to.equal('replayed')
  })

  it('refuses an author that has filled its table, without forgetting what it had and without hurting others', () => {
    const window = new ReplayWindow()
    for (let i = 0; i < 4096; i++) expect(window.insert(ALICE, nonce(i), NOW_MS, NOW_MS)).to.equal('fresh')

    for (let i = 4096; i < 5000; i++) expect(window.insert(ALICE, nonce(i), NOW_MS, NOW_MS)).to.equal('full')
    expect(window.insert(ALICE, nonce(0), NOW_MS, NOW_MS)).to.equal('replayed')
    expect(window.insert(BOB, nonce(0), NOW_MS, NOW_MS)).to.equal('fresh')
    expect(window.size).to.equal(4097)
  })

  it('refuses everybody when all tables together are full', () => {
    const window = new ReplayWindow({ maxTotal: 3 })
    for (let i = 0; i < 3; i++) window.insert(bytesOf(`author ${i}`, 32), nonce(0), NOW_MS, NOW_MS)

    expect(window.insert(ALICE, nonce(0), NOW_MS, NOW_MS)).to.equal('full')
  })

  it('has room again when the window has passed', () => {
    const window = new ReplayWindow({ maxPerAuthor: 1 })
    window.insert(ALICE, nonce(0), NOW_MS, NOW_MS)
    expect(window.insert(ALICE, nonce(1), NOW_MS, NOW_MS)).to.equal('full')

    const later = NOW_MS + 400_000
    expect(window.insert(ALICE, nonce(1), later, later)).to.equal('fresh')
    expect(window.size).to.equal(1)
  })

  it('does not let an old envelope in when the clock jumps back after it was forgotten', () => {
    const window = new ReplayWindow()
    window.insert(ALICE, nonce(0), NOW_MS, NOW_MS)
    window.insert(ALICE, nonce(1), NOW_MS + 500_000, NOW_MS + 500_000)

    expect(window.insert(ALICE, nonce(0), NOW_MS, NOW_MS)).to.equal('replayed')
  })

  it('knows after a restart what it knew before', () => {
    const before = new ReplayWindow()
    before.insert(ALICE, nonce(0), NOW_MS, NOW_MS)
    before.insert(BOB, nonce(1), NOW_MS - 1000, NOW_MS)

    const after = new ReplayWindow()
    after.restore(before.entries(), NOW_MS)

    expect(after.size).to.equal(2)
    expect(after.insert(ALICE, nonce(0), NOW_MS, NOW_MS)).to.equal('replayed')
    expect(after.insert(BOB, nonce(1), NOW_MS - 1000, NOW_MS)).to.equal('replayed')
  })

  it('leaves out of a restore what the clock window refuses anyway', () => {
    const before = new ReplayWindow()
    before.insert(ALICE, nonce(0), NOW_MS, NOW_MS)

    const after = new ReplayWindow()
    after.restore(before.entries(), NOW_MS + 1_000_000)

    expect(after.size).to.equal(0)
  })
})
