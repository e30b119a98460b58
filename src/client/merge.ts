/** All sources at once, in the order in which they yield. A failing one ends all. @param stop fired when nobody reads on */
export async function* mergeAll<T>(sources: AsyncGenerator<T>[], stop: AbortController): AsyncGenerator<T> {
  const next = (source: AsyncGenerator<T>) => source.next().then((result) => ({ source, result }))
  const pending = new Map(sources.map((source) => [source, next(source)]))
  try {
    while (pending.size > 0) {
      const { source, result } = await Promise.race(pending.values())
      if (result.done) pending.delete(source)
      else {
        pending.set(source, next(source))
        yield result.value
      }
    }
  } finally {
    stop.abort() // first, because a source that waits for its next line cannot return before it is told
    // those under way too, because their failure is that they were told to stop
    await Promise.allSettled([
      ...pending.values(),
      ...[...pending.keys()].map((source) => source.return(undefined))
    ])
  }
}
