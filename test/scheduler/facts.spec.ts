import { expect } from 'chai'
import type { Fact } from '../../src/scheduler/facts/fact.ts'
import { FactTable, mergeFacts } from '../../src/scheduler/facts/fact-table.ts'
import { pastOf, schedulesOf, toldOf } from '../../src/scheduler/facts/past.ts'
import { countCopies } from '../../src/scheduler/healing/count.ts'
import { memoryStore } from '../../src/store/index.ts'
import { bytesOf, NOW_MS } from '../envelope/fixtures.ts'

const ID = bytesOf('manifest', 36)
const BOOT = bytesOf('boot', 16)
const fact = (author: string, more: Partial<Fact> = {}): Fact => ({
  author,
  bytes: new Uint8Array(100),
  manifestId: ID,
  version: 2,
  bootId: BOOT,
  issuedAt: NOW_MS,
  copies: [],
  schedule: [],
  since: NOW_MS,
  slot: NOW_MS,
  openSlots: [],
  ...more
})
const copy = (ordinal: number, done: number, over = false, failures = 0) => ({
  ordinal,
  done,
  failures,
  over,
  failed: false
})
const node = (peerId: string, state: 'alive' | 'dead' = 'alive', bootId = BOOT) => ({ peerId, state, bootId })
const RECORD = { manifestId: ID, version: 2, replicas: 2, perNode: false, tombstone: false }

describe('scheduler: what of Jobs and CronJobs is done', () => {
  it('does not miss copies of a Job that are over, whoever is gone', () => {
    const told = toldOf(
      { lifetime: 'job', version: 2 },
      [fact('a', { copies: [copy(0, 1, true), copy(1, 3)] })],
      []
    )

    expect(countCopies(RECORD, [], undefined, told).missing).to.deep.equal([1])
  })

  it('does not take the end of an older version for that of a newer one', () => {
    const old = fact('a', { version: 1, copies: [copy(0, 1, true)] })

    expect(
      countCopies(RECORD, [], undefined, toldOf({ lifetime: 'job', version: 2 }, [old], [])).missing
    ).to.deep.equal([0, 1])
  })

  it('misses the schedule of a CronJob when its node is dead, or was started again and has not said so', () => {
    const facts = [fact('a', { schedule: [0] }), fact('b', { schedule: [1] })]
    const count = (nodes: ReturnType<typeof node>[]) =>
      countCopies(RECORD, [], undefined, toldOf({ lifetime: 'cron', version: 2 }, facts, nodes)).missing

    expect(count([node('a'), node('b')])).to.deep.equal([])
    expect(count([node('a', 'dead'), node('b')])).to.deep.equal([0])
    expect(count([node('a'), node('b', 'alive', bytesOf('again', 16))])).to.deep.equal([1])
  })

  it('leaves a schedule with the node that took it later', () => {
    const facts = [fact('a', { schedule: [0] }), fact('b', { schedule: [0], since: NOW_MS + 1 })]
    const schedules = schedulesOf(facts, [node('a'), node('b')])

    const { surplus } = countCopies({ ...RECORD, replicas: 1 }, [], undefined, { schedules })
    expect(surplus.map(({ peerId }) => peerId)).to.deep.equal(['a'])
  })

  it('goes on where the one before was: what is done of a Job, and slots that were begun', () => {
    const facts = [
      fact('a', { copies: [copy(0, 2, false, 1)] }),
      fact('b', { copies: [copy(0, 3)] }),
      fact('c', { schedule: [0], slot: 600_000, openSlots: [{ at: 600_000 }] }),
      fact('d', { schedule: [0], since: NOW_MS - 1, slot: 540_000 })
    ]

    const past = pastOf(facts, { version: 2, ordinals: [0], self: 'x', nowMs: NOW_MS })
    expect(past.progress.get(0)).to.deep.equal({ done: 3, failures: 1 })
    expect(past).to.deep.include({ slotMs: 600_000, openSlots: [600_000] })
  })

  it('takes nobody at the word that a slot was started that has not come yet', () => {
    const facts = [
      fact('a', { schedule: [0], slot: 2 ** 53 - 1, openSlots: [{ at: NOW_MS + 1 }, { at: 60_000 }] })
    ]

    expect(pastOf(facts, { version: 2, ordinals: [0], self: 'x', nowMs: NOW_MS })).to.deep.include({
      slotMs: NOW_MS,
      openSlots: [60_000]
    })
  })

  it('keeps the newest word of each author, and no more than fit one message', () => {
    const later = fact('a', { issuedAt: NOW_MS + 1 })
    expect(mergeFacts([later], [fact('a'), fact('b')])).to.deep.equal([later, fact('b')])
    const many = Array.from({ length: 80 }, (_, i) => fact(`n${i}`, { copies: [copy(i, 1, i >= 40)] }))
    const kept = mergeFacts([], many)
    expect(kept).to.have.length(64)
    expect(kept.filter(({ copies }) => copies[0]!.over)).to.have.length(40)
  })

  it('lets no words that claim nothing push out what is proven, of whatever version they say they are', () => {
    const proven = fact('a', { copies: [copy(0, 1, true)] })
    const empty = Array.from({ length: 80 }, (_, i) => fact(`n${i}`, { version: 9 }))
    expect(mergeFacts([proven], empty)).to.include(proven)
  })

  it('has what it took after a restart, and not what is kept no more', async () => {
    const store = memoryStore()
    await new FactTable(store).take(ID, [fact('a')])
    const again = new FactTable(store)
    await again.open(() => true)
    expect(again.of(ID).map(({ author }) => author)).to.deep.equal(['a'])
    const none = new FactTable(store)
    await none.open(() => false)
    expect(none.of(ID)).to.deep.equal([])
  })
})
