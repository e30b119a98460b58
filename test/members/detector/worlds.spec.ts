/** Any world of cut wires, stalls and lost connections: who answers anybody that was asked is never called dead. */
import { expect } from 'chai'
import fc from 'fast-check'
import sinon from 'sinon'
import type { MemberState } from '../../../src/generated/fbs/index.ts'
import { CONFIRM_TIMEOUT_MS, DEAD_RETRY_MS } from '../../../src/members/detector/constants.ts'
import { Detector } from '../../../src/members/detector/detector.ts'

const MEMBERS = ['b', 'c', 'd'] as const
const STEP_MS = 25
/** By then a member that nobody reaches is dead, and one that is back alive. Nobody is idle here. */
const SETTLED_MS = 2 * DEAD_RETRY_MS * MEMBERS.length + 10_000

interface Change {
  readonly afterMs: number
  readonly member: number
  readonly kind: 'cut' | 'heal' | 'cut from others' | 'heal for others' | 'stall' | 'lose' | 'newer'
  readonly forMs: number
}

const change: fc.Arbitrary<Change> = fc.record({
  afterMs: fc.integer({ min: 0, max: 6_000 }),
  member: fc.integer({ min: 0, max: MEMBERS.length - 1 }),
  kind: fc.constantFrom('cut', 'heal', 'cut from others', 'heal for others', 'stall', 'lose', 'newer'),
  forMs: fc.integer({ min: 100, max: 6_000 })
})

/** What is true of the others; the detector only sees what comes of it. */
class World {
  readonly faults: string[] = []
  readonly truth = MEMBERS.map(() => ({ wire: true, othersWire: true, stalledUntilMs: 0, connected: true }))
  /** When each last answered us, or somebody whom we had asked. */
  readonly #answeredMs = MEMBERS.map(() => 0)
  readonly detector: Detector
  readonly #clock: sinon.SinonFakeTimers

  constructor(clock: sinon.SinonFakeTimers) {
    this.#clock = clock
    this.detector = new Detector({
      probe: (peerId) => void this.#probe(MEMBERS.indexOf(peerId as 'b')),
      confirm: (peerId, { signal }) => this.#confirm(MEMBERS.indexOf(peerId as 'b'), signal),
      onState: (peerId, state) => this.#onState(MEMBERS.indexOf(peerId as 'b'), state),
      now: () => clock.now
    })
    for (const peerId of MEMBERS) this.detector.said(peerId, { idle: false, leaving: false, connected: true })
    this.detector.start()
  }

  apply({ member, kind, forMs }: Change): void {
    const truth = this.truth[member]!
    const peerId = MEMBERS[member]!
    if (kind === 'cut') truth.wire = false
    if (kind === 'heal') truth.wire = true
    if (kind === 'cut from others') truth.othersWire = false
    if (kind === 'heal for others') truth.othersWire = true
    if (kind === 'stall') truth.stalledUntilMs = this.#clock.now + forMs
    if (kind === 'lose' && truth.connected) {
      truth.connected = false
      this.detector.disconnected(peerId)
    }
    if (kind === 'newer')
      this.detector.said(peerId, { idle: false, leaving: false, connected: truth.connected })
  }

  reachable(member: number): boolean {
    const { wire, othersWire, stalledUntilMs } = this.truth[member]!
    return (wire || othersWire) && stalledUntilMs <= this.#clock.now
  }

  #answers(member: number): boolean {
    const { wire, stalledUntilMs } = this.truth[member]!
    return wire && stalledUntilMs <= this.#clock.now
  }

  /** A question waits in the stream until it is read, as TCP has it. */
  async #probe(member: number): Promise<void> {
    const { truth } = this
    while (truth[member]!.connected && !this.#answers(member)) await this.#pause()
    if (!truth[member]!.connected) return
    this.#answeredMs[member] = this.#clock.now
    this.detector.heard(MEMBERS[member]!)
  }

  async #confirm(member: number, signal: AbortSignal): Promise<'direct' | 'vouched' | undefined> {
    let vouched = false
    for (;;) {
      await this.#pause()
      const truth = this.truth[member]!
      if (!signal.aborted && this.reachable(member)) this.#answeredMs[member] = this.#clock.now
      if (!signal.aborted && this.#answers(member)) {
        if (!truth.connected) {
          truth.connected = true
          this.detector.connected(MEMBERS[member]!)
        }
        return 'direct'
      }
      vouched ||= !signal.aborted && this.reachable(member) && truth.othersWire
      if (signal.aborted) return vouched ? 'vouched' : undefined
    }
  }

  #onState(member: number, state: MemberState): void {
    if (state !== 'dead') return
    const silentMs = this.#clock.now - this.#answeredMs[member]!
    if (silentMs < CONFIRM_TIMEOUT_MS) this.faults.push(`${MEMBERS[member]} answered ${silentMs} ms ago`)
    this.truth[member]!.connected = false
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, STEP_MS))
  }
}

describe('members: the detector in any world', function () {
  this.timeout(60_000)

  it('calls nobody dead who answers anybody that was asked, and in the end everybody what they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 25 }), async (changes) => {
        const clock = sinon.useFakeTimers()
        const world = new World(clock)
        try {
          for (const one of changes) {
            await clock.tickAsync(one.afterMs)
            world.apply(one)
          }
          await clock.tickAsync(SETTLED_MS)
          expect(world.faults).to.deep.equal([])
          for (const [member, peerId] of MEMBERS.entries())
            expect(world.detector.stateOf(peerId), peerId).to.equal(
              world.reachable(member) ? 'alive' : 'dead'
            )
        } finally {
          world.detector.stop()
          for (const truth of world.truth) truth.connected = false
          await clock.tickAsync(10 * STEP_MS)
          clock.restore()
        }
      }),
      { numRuns: 150, seed: 20_261_121 }
    )
  })
})
