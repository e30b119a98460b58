/** How often a condition that no event announces is looked at, ms. */
const LOOK_MS = 100
/** A look that comes later than this counts as this much: thirty nodes on one event loop wait for each other, and their timers with them. */
const MOST_MS = 150

/**
 * Waits until nothing is wrong. The deadline is in time that the event loop had for us: what it spends late is not counted, because every
 * node's own timers are late by as much.
 * @param ask what is wrong, in words; undefined: nothing
 * @returns loop's own time taken, ms
 */
export async function eventually(
  what: string,
  withinMs: number,
  ask: () => string | undefined | Promise<string | undefined>
): Promise<number> {
  let spentMs = 0
  for (let last = performance.now(); ; ) {
    const wrong = await ask()
    if (wrong === undefined) return Math.round(spentMs)
    if (spentMs > withinMs) throw new Error(`${what}: not within ${withinMs} ms, ${wrong}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    const now = performance.now()
    spentMs += Math.min(now - last, MOST_MS)
    last = now
  }
}

/** Watches that nothing goes wrong for so long, in the same time. @throws with what is wrong */
export async function during(forMs: number, ask: () => string | undefined): Promise<void> {
  const untilMs = performance.now() + forMs
  await eventually('the time is over', forMs, () => {
    const wrong = ask()
    if (wrong !== undefined) throw new Error(wrong)
    return performance.now() >= untilMs ? undefined : 'it goes on'
  }).catch((error: Error) => {
    if (!error.message.startsWith('the time is over')) throw error
  })
}

/** A loop that is later than this, ms, keeps others waiting who have a loop of their own. Source: less than CONFIRM_TIMEOUT_MS of the scheduler. */
export const LATE_MS = 1_000
/** Chosen: a third of {@link LATE_MS}. */
const CALM_MS = 300
const CALM_LOOKS = 10
/** Chosen: twice what thirty nodes take to start. */
const CALM_WITHIN_MS = 60_000

/** How late the event loop of 29 nodes is: what they do to the one outside, who has its own. */
export class Lateness {
  /** The latest, ms, since {@link take}n. */
  #worstMs = 0
  #calm = 0
  #lastLateAtMs = -Infinity
  readonly #timer: NodeJS.Timeout

  constructor() {
    let dueMs = performance.now() + LOOK_MS
    this.#timer = setInterval(() => {
      const now = performance.now()
      const lateMs = Math.max(0, now - dueMs)
      dueMs = now + LOOK_MS
      this.#worstMs = Math.max(this.#worstMs, lateMs)
      this.#calm = lateMs < CALM_MS ? this.#calm + 1 : 0
      if (lateMs > LATE_MS) this.#lastLateAtMs = now
    }, LOOK_MS).unref()
  }

  take(): number {
    const worstMs = Math.round(this.#worstMs)
    this.#worstMs = 0
    return worstMs
  }

  /** Whether it was later than {@link LATE_MS} within so many ms. */
  wasLate(withinMs: number): boolean {
    return performance.now() - this.#lastLateAtMs < withinMs
  }

  /** For a second the loop had time: an owner does not ask a machine that is at its limit. */
  async calm(): Promise<void> {
    this.#calm = 0
    await eventually('the event loop has time', CALM_WITHIN_MS, () =>
      this.#calm >= CALM_LOOKS ? undefined : 'it is late'
    )
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
