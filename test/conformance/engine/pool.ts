/**
 * Starts bodies, so many at once in their order, and gives a promise for each, which the test of its title awaits. Because engines
 * spend most of a test waiting for a kernel, and because they must bear several callers.
 */
export function startPool(
  bodies: Readonly<Record<string, () => Promise<void>>>,
  concurrency: number
): Map<string, Promise<void>> {
  const waiting = Object.entries(bodies).map(([title, body]) => ({
    title,
    body,
    ...Promise.withResolvers<void>()
  }))
  const results = new Map(waiting.map(({ title, promise }) => [title, promise]))
  for (const promise of results.values()) promise.catch(() => {}) // the test of this title sees it
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await next.body().then(next.resolve, next.reject)
  }
  for (let worker = 0; worker < concurrency; worker++) void work()
  return results
}
