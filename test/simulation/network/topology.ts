import type { MemberState } from '../../../src/generated/fbs/index.ts'
import type { Host, VirtualClock } from '../time/clock.ts'

/** How soon nodes notice. Source: facts on the mesh and docs/BENCHMARKS.md, "How soon a dead node is noticed". */
const KILLED_MS = { suspect: 50, dead: 300 } as const
const SILENT_MS = { suspect: 3_000, dead: 4_500 } as const
/** From the moment that a node can be reached again until it counts as alive. */
const BACK_MS = 800

/** A machine as far as the network is concerned. */
export interface Place {
  /** Power and operating system. */
  on: boolean
  /** The node's process; undefined while it does not run. */
  host: Host | undefined
  /** It said that it goes. */
  left: boolean
}

/** What one node thinks of another. */
export type Opinion = MemberState | 'unknown'

interface View {
  up: boolean
  sinceMs: number
  /** What was thought before that. */
  before: Opinion
  /** Nothing told that it is gone. */
  silent: boolean
  /** It said that it goes; true until it is back, also while it is starting. */
  left: boolean
}

/** Who can reach whom, and what each thinks of each other in consequence. */
export class Topology {
  readonly places: Place[] = []
  readonly #clock: VirtualClock
  /** "a>b": nothing gets from a to b. */
  readonly #blocked = new Set<string>()
  readonly #views: View[][] = []
  readonly #onChange: (of: number, peer: number, before: Opinion) => void

  /** @param onChange a node finds another one dead or gone, or there (again) */
  constructor(clock: VirtualClock, onChange: (of: number, peer: number, before: Opinion) => void) {
    this.#clock = clock
    this.#onChange = onChange
  }

  add(): number {
    this.places.push({ on: true, host: undefined, left: false })
    return this.places.length - 1
  }

  /** A process began at a place: it knows nobody yet. */
  begin(index: number): void {
    const fresh = (): View => ({
      up: false,
      sinceMs: this.#clock.nowMs,
      before: 'unknown',
      silent: true,
      left: false
    })
    this.#views[index] = this.places.map(fresh)
    this.update()
  }

  block(from: number, to: number): void {
    this.#blocked.add(`${from}>${to}`)
  }

  /** @returns whether it was blocked */
  unblock(from: number, to: number): boolean {
    return this.#blocked.delete(`${from}>${to}`)
  }

  /** Whether bytes get from one machine to the other. */
  passes(from: number, to: number): boolean {
    if (from === to) return this.places[from]!.on
    return this.places[from]!.on && this.places[to]!.on && !this.#blocked.has(`${from}>${to}`)
  }

  /** Both ways, as a connection needs it. */
  connects(a: number, b: number): boolean {
    return this.passes(a, b) && this.passes(b, a)
  }

  /** What one node thinks of another now; undefined: it has not heard of it. */
  opinion(of: number, peer: number): MemberState | undefined {
    if (of === peer) return 'alive'
    const view = this.#views[of]?.[peer]
    const opinion = view === undefined ? 'unknown' : this.#judge(view)
    return opinion === 'unknown' ? undefined : opinion
  }

  /** How long one has heard nothing of the other, ms; undefined: it does not know it. */
  silentMs(of: number, peer: number): number | undefined {
    const view = this.#views[of]?.[peer]
    if (of === peer) return 0
    return view && (view.up ? 0 : this.#clock.nowMs - view.sinceMs)
  }

  /** Groups of nodes that can reach each other in any way, with frozen and dead processes as groups of their own. */
  sides(): number {
    const active = this.places.flatMap(({ on }, index) => (on ? [index] : []))
    const left = new Set(active)
    let count = 0
    for (const first of active) {
      if (!left.delete(first)) continue
      count++
      const reached = [first]
      for (let one = reached.pop(); one !== undefined; one = reached.pop())
        for (const other of [...left])
          if (this.#adjacent(one, other)) {
            left.delete(other)
            reached.push(other)
          }
    }
    return count + Math.min(this.#blocked.size, 2)
  }

  /** After anything changed: who is noticed to come or go, and when. */
  update(): void {
    const { length } = this.places
    for (let of = 0; of < length; of++) {
      const host = this.places[of]!.host
      // because one that is stopped notices nothing, and counts no time when it goes on
      if (host === undefined || !host.alive || host.frozen || this.#views[of] === undefined) continue
      for (let peer = 0; peer < length; peer++) if (peer !== of) this.#compare(of, peer, host)
    }
  }

  #compare(of: number, peer: number, host: Host): void {
    const views = this.#views[of]!
    views[peer] ??= { up: false, sinceMs: this.#clock.nowMs, before: 'unknown', silent: true, left: false }
    const view = views[peer]
    const up = this.#reaches(of, peer)
    if (up === view.up) return
    const before = this.#judge(view)
    const { on, host: process, left } = this.places[peer]!
    const isTold = on && (process === undefined || !process.alive) && this.connects(of, peer)
    views[peer] = { up, sinceMs: this.#clock.nowMs, before, silent: !isTold && !left, left }
    if (up && before === 'alive') return
    const delayMs = up ? BACK_MS : left ? 10 : isTold ? KILLED_MS.dead : SILENT_MS.dead
    const current = views[peer]
    this.#clock.after(delayMs + 1, host, () => {
      if (this.#views[of]?.[peer] === current) this.#onChange(of, peer, before)
    })
  }

  #judge({ up, sinceMs, before, silent, left }: View): Opinion {
    const elapsedMs = this.#clock.nowMs - sinceMs
    if (up) return elapsedMs >= BACK_MS ? 'alive' : before
    if (before === 'unknown') return 'unknown'
    if (left) return 'left'
    const { suspect, dead } = silent ? SILENT_MS : KILLED_MS
    if (before === 'dead' || before === 'left' || elapsedMs >= dead) return 'dead'
    return elapsedMs >= suspect ? 'suspect' : before
  }

  /** Directly, or through another one that both reach: probes go that way, too. */
  #reaches(a: number, b: number): boolean {
    if (this.#adjacent(a, b)) return true
    return this.places.some(
      (_, over) => over !== a && over !== b && this.#adjacent(a, over) && this.#adjacent(over, b)
    )
  }

  #adjacent(a: number, b: number): boolean {
    return this.#answers(a) && this.#answers(b) && this.connects(a, b)
  }

  #answers(index: number): boolean {
    const { on, host } = this.places[index]!
    return on && host?.alive === true && !host.frozen
  }
}
