/** Doubling from the first to the last, ms. Chosen. */
export const PENALTY_MS = { first: 2_000, last: 60_000 } as const
/** Nodes with a penalty that are remembered. Chosen. */
export const MAX_PENALTIES = 1_024

/** Nodes that cost time or told untruths: left alone for a while, twice as long each time. Bounded; forgotten when over for long. */
export class Penalties {
  readonly #now: () => number
  readonly #strikes = new Map<string, { count: number; untilMs: number }>()

  constructor(now: () => number) {
    this.#now = now
  }

  strike(peerId: string): void {
    const nowMs = this.#now()
    const before = this.#strikes.get(peerId)
    const recent = before !== undefined && nowMs - before.untilMs < PENALTY_MS.last
    const count = recent ? before.count + 1 : 1
    const lastsMs = Math.min(PENALTY_MS.first * 2 ** (count - 1), PENALTY_MS.last)
    this.#strikes.delete(peerId)
    this.#strikes.set(peerId, { count, untilMs: nowMs + lastsMs })
    if (this.#strikes.size > MAX_PENALTIES) this.#strikes.delete(this.#strikes.keys().next().value!)
  }

  forgive(peerId: string): void {
    this.#strikes.delete(peerId)
  }

  has(peerId: string): boolean {
    return (this.#strikes.get(peerId)?.untilMs ?? 0) > this.#now()
  }
}
