import type { MemberState } from '../../../src/generated/fbs/index.ts'
import type { Host, VirtualClock } from '../time/clock.ts'
import { changed, judge, type Opinion, type Sight, unseen } from './sight.ts'

/** A machine as far as the network is concerned. */
export interface Place {
  /** Power and operating system. */
  on: boolean
  /** The node's process; undefined while it does not run. */
  host: Host | undefined
  /** It said that it goes. */
  left: boolean
}

export interface TopologyListener {
  /** A node finds another one dead or gone, or there (again). */
  onOpinion(of: number, peer: number, before: Opinion): void
  /** Its connection to another one is there, or was lost. */
  onLink(of: number, peer: number, isConnected: boolean): void
}

/** Who can reach whom, and what each thinks of each other in consequence. */
export class Topology {
  readonly places: Place[] = []
  readonly #clock: VirtualClock
  /** "a>b": nothing gets from a to b. */
  readonly #blocked = new Set<string>()
  readonly #opinions: Sight[][] = []
  readonly #links: Sight[][] = []
  readonly #listener: TopologyListener

  constructor(clock: VirtualClock, listener: TopologyListener) {
    this.#clock = clock
    this.#listener = listener
  }

  add(): number {
    this.places.push({ on: true, host: undefined, left: false })
    return this.places.length - 1
  }

  /** A process began at a place: it knows nobody yet. */
  begin(index: number): void {
    const { nowMs } = this.#clock
    this.#opinions[index] = this.places.map(() => unseen(nowMs))
    this.#links[index] = this.places.map(() => unseen(nowMs))
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
    const opinion = judge(this.#opinions[of]?.[peer], this.#clock.nowMs)
    return opinion === 'unknown' ? undefined : opinion
  }

  /** Whether one has a connection to the other, as far as it has noticed. */
  isConnected(of: number, peer: number): boolean {
    return isThere(judge(this.#links[of]?.[peer], this.#clock.nowMs))
  }

  /** How long one has heard nothing of the other, ms; undefined: it does not know it. */
  silentMs(of: number, peer: number): number | undefined {
    const sight = this.#opinions[of]?.[peer]
    if (of === peer) return 0
    return sight && (sight.up ? 0 : this.#clock.nowMs - sight.sinceMs)
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
      if (host === undefined || !host.alive || host.frozen || this.#opinions[of] === undefined) continue
      for (let peer = 0; peer < length; peer++) if (peer !== of) this.#compare(of, peer, host)
    }
  }

  #compare(of: number, peer: number, host: Host): void {
    const { on, host: process, left } = this.places[peer]!
    const isTold = on && (process === undefined || !process.alive) && this.connects(of, peer)
    const see = (all: Sight[], up: boolean, onChange: (before: Opinion) => void) => {
      const next = changed(all[peer], { up, left, isTold, nowMs: this.#clock.nowMs })
      if (next === undefined) return
      all[peer] = next.sight
      const tell = () => {
        if (all[peer] === next.sight) onChange(next.sight.before)
      }
      if (next.settlesInMs !== undefined) this.#clock.after(next.settlesInMs + 1, host, tell)
    }
    see(this.#opinions[of]!, this.#reaches(of, peer), (before) => this.#listener.onOpinion(of, peer, before))
    see(this.#links[of]!, this.#adjacent(of, peer), (before) => {
      const is = this.isConnected(of, peer)
      if (is !== isThere(before)) this.#listener.onLink(of, peer, is)
    })
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

function isThere(opinion: Opinion): boolean {
  return opinion === 'alive' || opinion === 'suspect'
}
