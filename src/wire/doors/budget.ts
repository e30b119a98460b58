/** A token bucket's size and refill. */
export interface BudgetLimits {
  /** Requests that may come at once. */
  readonly burst: number
  /** Requests a second, sustained. */
  readonly perSecond: number
}

/** How many senders are remembered; beyond it the one silent for longest is forgotten, which only refills its bucket. */
const MAX_SENDERS = 4096

/** Token buckets, one a sender. Asked before anything expensive is done for it. */
export class Budget {
  readonly #limits: BudgetLimits
  readonly #now: () => number
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>()

  constructor(limits: BudgetLimits, now: () => number = Date.now) {
    this.#limits = limits
    this.#now = now
  }

  /** Takes one token; false when the sender has none left. */
  take(sender: string): boolean {
    const nowMs = this.#now()
    const { burst, perSecond } = this.#limits
    const bucket = this.#buckets.get(sender) ?? { tokens: burst, atMs: nowMs }
    const refilled = Math.max(0, nowMs - bucket.atMs) * (perSecond / 1000)
    const tokens = Math.min(burst, bucket.tokens + refilled)
    this.#buckets.delete(sender)
    if (this.#buckets.size >= MAX_SENDERS) this.#buckets.delete(this.#buckets.keys().next().value!)
    this.#buckets.set(sender, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs })
    return tokens >= 1
  }
}
