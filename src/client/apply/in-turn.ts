/**
 * Acts on nodes that run an older version a few at a time, so that never more copies are under way than the manifest allows; then on the
 * others, all at once. After a failure none is begun.
 * @param options.weightOf copies that are under way at one time while it is acted on; 0: it runs nothing yet
 * @param options.pace copies that may be under way at one time
 * @returns results of those that were begun
 */
export async function inTurn<T, R>(
  items: readonly T[],
  {
    weightOf,
    pace,
    act,
    hasFailed
  }: {
    readonly weightOf: (item: T) => number
    readonly pace: number
    readonly act: (item: T) => Promise<R>
    readonly hasFailed: (result: R) => boolean
  }
): Promise<R[]> {
  const results: R[] = []
  const waiting = items.filter((item) => weightOf(item) > 0)
  const underway = new Set<Promise<void>>()
  let free = pace
  let failed = false
  const begin = (item: T, weight: number) => {
    free -= weight
    const work = act(item).then((result) => {
      results.push(result)
      failed ||= hasFailed(result)
      free += weight
      underway.delete(work)
    })
    underway.add(work)
  }
  while (waiting.length > 0 && !failed) {
    const weight = Math.min(weightOf(waiting[0]!), pace)
    if (weight <= free) begin(waiting.shift()!, weight)
    else await Promise.race(underway)
  }
  await Promise.all(underway)
  if (failed) return results
  for (const item of items) if (weightOf(item) === 0) begin(item, 0)
  await Promise.all(underway)
  return results
}
