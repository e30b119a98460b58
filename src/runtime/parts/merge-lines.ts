import type { LogLine } from '../types.ts'

/** Several finished logs as one, by time; holds one line of each. */
export async function* mergeByTime(sources: readonly AsyncGenerator<LogLine>[]): AsyncGenerator<LogLine> {
  try {
    const heads = await Promise.all(sources.map(async (source) => ({ source, head: await source.next() })))
    for (;;) {
      const open = heads.filter(({ head }) => head.done !== true)
      if (open.length === 0) return
      const first = open.reduce((a, b) => (b.head.value.timestampMs < a.head.value.timestampMs ? b : a))
      yield first.head.value
      first.head = await first.source.next()
    }
  } finally {
    await closeAll(sources)
  }
}

/** Several growing logs as one, in the order in which lines arrive; holds one line of each. */
export async function* mergeByArrival(sources: readonly AsyncGenerator<LogLine>[]): AsyncGenerator<LogLine> {
  const next = (source: AsyncGenerator<LogLine>) => source.next().then((result) => ({ source, result }))
  const pending = new Map(sources.map((source) => [source, next(source)]))
  try {
    while (pending.size > 0) {
      const { source, result } = await Promise.race(pending.values())
      if (result.done === true) pending.delete(source)
      else {
        yield result.value
        pending.set(source, next(source))
      }
    }
  } finally {
    for (const promise of pending.values()) promise.catch(() => {})
    await closeAll(sources)
  }
}

async function closeAll(sources: readonly AsyncGenerator<LogLine>[]): Promise<void> {
  await Promise.allSettled(sources.map((source) => source.return(undefined)))
}
