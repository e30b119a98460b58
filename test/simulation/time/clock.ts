import type { Dice } from './random.ts'

/** Whose code runs: one start of one node's process, or a client's. What it awaits ends with it. */
export interface Host {
  readonly name: string
  alive: boolean
  /** Stopped as by SIGSTOP: what happens to it waits in `held`. */
  frozen: boolean
  /** How far its wall clock is off. */
  skewMs: number
  readonly held: Event[]
}

export interface Event {
  readonly atMs: number
  readonly tie: number
  readonly order: number
  readonly host: Host | undefined
  readonly run: () => void
  /** Starts no asynchronous work of the code under test, so nothing has to be waited for. */
  readonly quick: boolean
  cancelled: boolean
}

/** Any moment would do; far enough from 0 that skewed clocks stay positive. */
export const START_MS = 1_800_000_000_000

export function newHost(name: string, skewMs = 0): Host {
  return { name, alive: true, frozen: false, skewMs, held: [] }
}

/**
 * Virtual time: events run one at a time, each until nothing more comes of it; then the clock jumps to the next one. Events of the same
 * moment run in an order that is drawn.
 */
export class VirtualClock {
  nowMs = START_MS
  /** Whose event runs now. */
  current: Host | undefined
  /** Events that ran. */
  count = 0
  readonly dice: Dice
  readonly #settle: () => Promise<void>
  readonly #heap: Event[] = []
  #order = 0

  /** @param settle resolves when nothing is under way any more but what waits for time to pass */
  constructor(dice: Dice, settle: () => Promise<void>) {
    this.dice = dice
    this.#settle = settle
  }

  /** Since the start of the run. */
  get elapsedMs(): number {
    return this.nowMs - START_MS
  }

  /** What a process reads from its machine's clock: whole milliseconds. */
  wallMs(host: Host): number {
    return Math.floor(this.nowMs + host.skewMs)
  }

  after(delayMs: number, host: Host | undefined, run: () => void, quick = false): Event {
    const atMs = this.nowMs + Math.max(0, delayMs)
    const event = {
      atMs,
      tie: this.dice.next(),
      order: this.#order++,
      host,
      run,
      quick,
      cancelled: false
    }
    this.#push(event)
    return event
  }

  /** What was held back happens now, in its order. */
  thaw(host: Host): void {
    host.frozen = false
    for (const event of host.held.splice(0))
      if (!event.cancelled)
        this.#push({ ...event, atMs: Math.max(this.nowMs, event.atMs), tie: 0, order: this.#order++ })
  }

  async run(untilMs: number): Promise<void> {
    for (let event = this.#heap[0]; event !== undefined && event.atMs <= untilMs; event = this.#heap[0]) {
      this.#pop()
      if (event.cancelled || event.host?.alive === false) continue
      if (event.host?.frozen) {
        event.host.held.push(event)
        continue
      }
      this.nowMs = event.atMs
      this.current = event.host
      this.count++
      event.run()
      if (!event.quick) await this.#settle()
      this.current = undefined
    }
    this.nowMs = untilMs
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(event, heap[above]!)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (!isBefore(heap[below]!, last)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs
  return a.tie === b.tie ? a.order < b.order : a.tie < b.tie
}
