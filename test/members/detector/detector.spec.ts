import { expect } from 'chai'
import sinon from 'sinon'
import type { MemberState } from '../../../src/generated/fbs/index.ts'
import {
  CONFIRM_TIMEOUT_MS,
  DEAD_RETRY_MS,
  GRACE_MS,
  IDLE_AFTER_MS,
  IDLE_INTERVAL_MS,
  MAX_CONFIRMATIONS,
  PROBE_INTERVAL_MS,
  PROBE_TIMEOUT_MS,
  PROBES_PER_TICK,
  RETRY_ALL_MS,
  SILENCE_MS,
  TICK_MS,
  VOUCHED_INTERVAL_MS
} from '../../../src/members/detector/constants.ts'
import { Detector, type Sign } from '../../../src/members/detector/detector.ts'

const ACTIVE = { idle: false, leaving: false, connected: true }
/** Interval, tick, three probes, confirmation, and 1 ms for each turn in between. */
const SILENT_MS = PROBE_INTERVAL_MS + TICK_MS + 3 * PROBE_TIMEOUT_MS + CONFIRM_TIMEOUT_MS + 10

describe('members: the detector', () => {
  let clock: sinon.SinonFakeTimers
  let detector: Detector
  let answering: Set<string>
  let sign: Sign | undefined
  let probes: { peerId: string; atMs: number }[]
  let confirmations: string[]
  let states: string[]
  let lagMs: number

  beforeEach(() => {
    clock = sinon.useFakeTimers()
    answering = new Set(['b'])
    sign = undefined
    probes = []
    confirmations = []
    states = []
    lagMs = 0
    detector = new Detector({
      probe: (peerId) => {
        probes.push({ peerId, atMs: clock.now })
        if (answering.has(peerId)) setTimeout(() => detector.heard(peerId), 5)
      },
      confirm: (peerId, { signal }) => {
        confirmations.push(peerId)
        return new Promise((resolve) => {
          if (sign !== undefined) setTimeout(resolve, 20, sign)
          signal.addEventListener('abort', () => resolve(undefined))
        })
      },
      onState: (peerId: string, state: MemberState) => states.push(`${peerId} ${state}`),
      now: () => clock.now + lagMs,
      random: () => 0
    })
    detector.start()
  })
  afterEach(() => {
    detector.stop()
    clock.restore()
  })

  it('probes a member about once a second and calls it alive as long as it answers', async () => {
    detector.said('b', ACTIVE)
    await clock.tickAsync(60_000)
    expect(probes).to.have.length.within(50, 60)
    expect(states).to.deep.equal([])
  })

  it('calls a silent member suspect, asks on all ways, and calls it dead, all within 5 s', async () => {
    detector.said('b', ACTIVE)
    await clock.tickAsync(2_000)
    answering.clear()
    detector.heard('b')
    const fromMs = clock.now
    await clock.tickAsync(PROBE_INTERVAL_MS + TICK_MS + 3 * PROBE_TIMEOUT_MS + 5)
    expect(states).to.deep.equal(['b suspect'])
    expect(confirmations).to.deep.equal(['b'])
    await clock.tickAsync(SILENT_MS - (clock.now - fromMs))
    expect(states).to.deep.equal(['b suspect', 'b dead'])
    expect(SILENT_MS).to.be.below(5_000)
    const sent = probes.length
    await clock.tickAsync(5_000)
    expect(probes, 'nobody asks the dead every second').to.have.length(sent)
  })

  it('suspects at once when the connection is lost, and needs no timer when every way fails at once', async () => {
    detector.said('b', ACTIVE)
    const failing = new Detector({
      probe: () => {},
      confirm: async () => undefined,
      onState: (peerId, state) => states.push(`${peerId} ${state}`)
    })
    failing.said('b', ACTIVE)
    failing.disconnected('b')
    await clock.tickAsync(1)
    expect(states).to.deep.equal(['b suspect', 'b dead'])
  })

  it('leads back to alive by an answer, a connection or a new way, and asks no more', async () => {
    detector.said('b', ACTIVE)
    for (const revive of [() => detector.heard('b'), () => detector.connected('b')]) {
      detector.disconnected('b')
      await clock.tickAsync(100)
      revive()
      expect(states.splice(0)).to.deep.equal(['b suspect', 'b alive'])
      await clock.tickAsync(CONFIRM_TIMEOUT_MS * 2)
      expect(states, 'the confirmation that was under way has no say').to.deep.equal([])
    }
    sign = 'direct'
    detector.disconnected('b')
    await clock.tickAsync(30)
    expect(states).to.deep.equal(['b suspect', 'b alive'])
  })

  it('keeps a member alive that only others reach, tries it again, and calls it dead when they lose it, too', async () => {
    detector.said('b', ACTIVE)
    sign = 'vouched'
    detector.disconnected('b')
    await clock.tickAsync(VOUCHED_INTERVAL_MS * 3 + 500)
    expect(states).to.deep.equal(['b suspect', 'b alive'])
    expect(confirmations).to.have.length(4)
    sign = undefined
    await clock.tickAsync(VOUCHED_INTERVAL_MS + 2 * CONFIRM_TIMEOUT_MS + 200)
    expect(states).to.deep.equal(['b suspect', 'b alive', 'b suspect', 'b dead'])
  })

  it('gives a member that stalls for 3.5 s and then answers everything no worse name than suspect', async () => {
    detector.said('b', ACTIVE)
    for (let offset = 0; offset < 20; offset++) {
      await clock.tickAsync(2_000 + offset * 53)
      answering.clear()
      await clock.tickAsync(3_500)
      answering.add('b')
      detector.heard('b')
    }
    expect(states).to.not.include('b dead')
  })

  it('counts no miss when our own timers were late and the answer was waiting', async () => {
    detector.said('b', ACTIVE)
    answering.clear()
    await clock.tickAsync(PROBE_INTERVAL_MS + TICK_MS + PROBE_TIMEOUT_MS * 3 - 300)
    lagMs = 700 // blocked: the third timer runs late, and only then what has arrived is read
    await clock.tickAsync(250)
    detector.heard('b')
    lagMs = 0
    await clock.tickAsync(500)
    expect(states).to.deep.equal([])
  })

  it('takes a probe that was blocked for as long as it may take for none at all', async () => {
    detector.said('b', ACTIVE)
    answering.clear()
    await clock.tickAsync(PROBE_INTERVAL_MS + PROBE_TIMEOUT_MS / 2)
    for (let round = 0; round < 10; round++) {
      lagMs += 2_000
      await clock.tickAsync(PROBE_TIMEOUT_MS + GRACE_MS)
    }
    expect(states, 'blocked again and again').to.deep.equal([])
    await clock.tickAsync(3 * PROBE_TIMEOUT_MS)
    expect(states).to.deep.equal(['b suspect'])
  })

  it('takes a confirmation that was blocked for none at all, too', async () => {
    detector.said('b', ACTIVE)
    detector.disconnected('b')
    lagMs += 2_000
    await clock.tickAsync(CONFIRM_TIMEOUT_MS + GRACE_MS + 10)
    expect(states).to.deep.equal(['b suspect'])
    await clock.tickAsync(CONFIRM_TIMEOUT_MS + TICK_MS + 10)
    expect(states).to.deep.equal(['b suspect', 'b dead'])
  })

  it('does not believe a newer statement of a dead member, it tries it', async () => {
    detector.said('b', ACTIVE)
    detector.disconnected('b')
    await clock.tickAsync(CONFIRM_TIMEOUT_MS + 10)
    expect(detector.stateOf('b')).to.equal('dead')
    detector.said('b', { ...ACTIVE, connected: false })
    await clock.tickAsync(CONFIRM_TIMEOUT_MS + 10)
    expect(detector.stateOf('b')).to.equal('dead')
    sign = 'vouched'
    detector.said('b', { ...ACTIVE, connected: false })
    await clock.tickAsync(30)
    expect(states).to.deep.equal(['b suspect', 'b dead', 'b alive'])
  })

  it('tries a dead member again, so that a partition that heals is noticed', async () => {
    detector.said('b', ACTIVE)
    detector.disconnected('b')
    await clock.tickAsync(CONFIRM_TIMEOUT_MS + 10)
    sign = 'direct'
    await clock.tickAsync(DEAD_RETRY_MS)
    expect(states.at(-1)).to.equal('b alive')
  })

  it('tries all who are dead when one of them comes back', async () => {
    for (const peerId of ['b', 'c', 'd']) {
      detector.said(peerId, ACTIVE)
      detector.disconnected(peerId)
    }
    await clock.tickAsync(CONFIRM_TIMEOUT_MS + 10)
    confirmations.length = 0
    detector.connected('c')
    expect(confirmations).to.deep.equal(['b', 'd'])
  })

  it('tries them once a second at most, however many come back', async () => {
    const all = Array.from({ length: 20 }, (_, index) => `m${index}`)
    for (const peerId of all) {
      detector.said(peerId, ACTIVE)
      detector.disconnected(peerId)
    }
    await clock.tickAsync(CONFIRM_TIMEOUT_MS + 10)
    confirmations.length = 0
    for (const peerId of all.slice(0, 10)) detector.connected(peerId)
    await clock.tickAsync(CONFIRM_TIMEOUT_MS)
    expect(confirmations).to.have.length(19)
    await clock.tickAsync(RETRY_ALL_MS)
    expect(confirmations).to.have.length(19 + 10)
  })

  it('neither probes nor suspects a member that left, until it says something newer', async () => {
    detector.said('b', ACTIVE)
    await clock.tickAsync(1_500)
    detector.said('b', { ...ACTIVE, leaving: true })
    const sent = probes.length
    detector.disconnected('b')
    await clock.tickAsync(30_000)
    expect(states).to.deep.equal(['b left'])
    expect(probes).to.have.length(sent)
    detector.connected('b')
    expect(detector.stateOf('b'), 'a connection alone, while it is stopping').to.equal('left')
    detector.said('b', ACTIVE)
    expect(states).to.deep.equal(['b left', 'b alive'])
    await clock.tickAsync(3_000)
    expect(probes.length).to.be.above(sent)
  })

  it('stretches the interval towards an idle member, and shortens it the moment it is not idle', async () => {
    detector.said('b', { ...ACTIVE, idle: true })
    await clock.tickAsync(IDLE_AFTER_MS + IDLE_INTERVAL_MS)
    probes.length = 0
    await clock.tickAsync(10 * IDLE_INTERVAL_MS)
    expect(probes).to.have.length.within(9, 10)
    detector.said('b', ACTIVE)
    probes.length = 0
    await clock.tickAsync(5 * PROBE_INTERVAL_MS + TICK_MS)
    expect(probes).to.have.length.within(4, 5)
  })

  it('asks no more than its share a second however many members there are, and each in turn', async () => {
    const all = Array.from({ length: 200 }, (_, index) => `m${index}`)
    answering = new Set(all)
    for (const peerId of all) detector.said(peerId, ACTIVE)
    await clock.tickAsync(20_000)
    const most = (PROBES_PER_TICK * 20_000) / TICK_MS
    expect(probes.length).to.be.within(most * 0.9, most)
    const counts = all.map((peerId) => probes.filter((probe) => probe.peerId === peerId).length)
    expect(Math.max(...counts) - Math.min(...counts)).to.be.below(2)
  })

  it('confirms a bounded number at once and loses none of the others', async () => {
    const all = Array.from({ length: MAX_CONFIRMATIONS * 2 }, (_, index) => `m${index}`)
    for (const peerId of all) detector.said(peerId, ACTIVE)
    for (const peerId of all) detector.disconnected(peerId)
    expect(confirmations).to.have.length(MAX_CONFIRMATIONS)
    await clock.tickAsync(2 * CONFIRM_TIMEOUT_MS + 3 * TICK_MS)
    expect(all.map((peerId) => detector.stateOf(peerId))).to.deep.equal(all.map(() => 'dead'))
  })

  it('tries a member without a connection when it was silent for long, or when it is doubted', async () => {
    sign = 'vouched'
    detector.said('b', { ...ACTIVE, connected: false })
    await clock.tickAsync(SILENCE_MS - 1_000)
    expect(confirmations).to.deep.equal([])
    await clock.tickAsync(1_000 + TICK_MS)
    expect(confirmations).to.deep.equal(['b'])
    detector.said('c', { ...ACTIVE, connected: false })
    detector.doubt('c')
    await clock.tickAsync(TICK_MS)
    expect(confirmations).to.deep.equal(['b', 'c'])
    expect(states, 'a doubt alone says nothing').to.deep.equal([])
  })

  it('leaves no timer behind when it stops', async () => {
    detector.said('b', ACTIVE)
    answering.clear()
    await clock.tickAsync(PROBE_INTERVAL_MS + TICK_MS)
    detector.said('c', ACTIVE)
    detector.disconnected('c')
    detector.stop()
    await clock.tickAsync(0)
    expect(clock.countTimers()).to.equal(0)
  })
})
