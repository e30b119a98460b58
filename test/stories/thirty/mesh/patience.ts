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
