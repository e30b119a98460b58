import { type EventInit, encodeEventReply, type Query } from '../../generated/fbs/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import { EVENTS_PER_FRAME, MAX_WAITING_EVENTS } from '../constants.ts'
import type { Context } from '../context.ts'
import { WorkloadsError } from '../errors.ts'
import type { WorkloadEvent } from '../types.ts'

const MAX_REASON_LENGTH = 1_000

/** What happened to the asker's workloads here, oldest first; with `follow` it goes on until the asker leaves. */
export async function events(
  context: Context,
  { authorPeerId, payload, reply, signal }: OwnerRequest<Query>
): Promise<void> {
  const wanted = new Set(payload.manifestIds.map(({ value }) => Buffer.from(value).toString('hex')))
  const toShown = (event: WorkloadEvent): EventInit[] => {
    const held = context.table.get(event.manifestId)
    if (held === undefined || held.owner !== authorPeerId) return []
    if (wanted.size > 0 && !wanted.has(Buffer.from(event.manifestId).toString('hex'))) return []
    const { kind, name, namespace } = held
    const { atMs: at, reason, ...what } = event
    return [{ ...what, at, kind, name, namespace, reason: reason?.slice(0, MAX_REASON_LENGTH) }]
  }
  const send = async (all: readonly EventInit[], last: boolean) => {
    for (let from = 0; from === 0 || from < all.length; from += EVENTS_PER_FRAME) {
      const page = all.slice(from, from + EVENTS_PER_FRAME)
      const isLast = last && from + EVENTS_PER_FRAME >= all.length
      await reply.send(encodeEventReply({ events: page }), { last: isLast, signal })
    }
  }
  const waiting: EventInit[] = []
  let wake = Promise.withResolvers<void>()
  // before the past is read, so that nothing falls between
  const unfollow = payload.follow
    ? context.onEvent((event) => {
        waiting.push(...toShown(event))
        wake.resolve()
      })
    : () => {}
  const onAbort = () => wake.resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const past = context.recentEvents().filter(({ atMs }) => atMs >= payload.since)
    await send(past.flatMap(toShown), !payload.follow)
    while (payload.follow && !signal.aborted) {
      await wake.promise
      wake = Promise.withResolvers<void>()
      if (waiting.length > MAX_WAITING_EVENTS)
        throw new WorkloadsError('TOO_SLOW', 'events came faster than they were read', { retryable: true })
      if (waiting.length > 0) await send(waiting.splice(0), false)
    }
  } finally {
    unfollow()
    signal.removeEventListener('abort', onAbort)
  }
}
