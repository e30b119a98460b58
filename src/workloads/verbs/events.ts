import {
  type EventInit,
  encodeEventReply,
  type NodeEventInit,
  type Query
} from '../../generated/fbs/index.ts'
import { publicKeyFromPeerId } from '../../identity/index.ts'
import type { NodeEvent } from '../../members/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import { mayAsk } from '../access.ts'
import { EVENTS_PER_FRAME, MAX_WAITING_EVENTS } from '../constants.ts'
import type { Context } from '../context.ts'
import { WorkloadsError } from '../errors.ts'
import type { WorkloadEvent } from '../types.ts'

const MAX_REASON_LENGTH = 1_000

/** One of either kind, as it goes over the wire. */
type Shown = { readonly event: EventInit } | { readonly node: NodeEventInit }

/**
 * What happened to the asker's workloads here, and to nodes when it asks for that, each oldest first; with `follow` it goes on until the
 * asker leaves.
 */
export async function events(
  context: Context,
  { authorPeerId, payload, reply, signal }: OwnerRequest<Query>
): Promise<void> {
  const wanted = new Set(payload.manifestIds.map(({ value }) => Buffer.from(value).toString('hex')))
  const toShown = (event: WorkloadEvent): Shown[] => {
    const held = context.table.get(event.manifestId)
    if (held === undefined || !mayAsk(context, authorPeerId, 'events', held)) return []
    if (wanted.size > 0 && !wanted.has(Buffer.from(event.manifestId).toString('hex'))) return []
    const { kind, name, namespace } = held
    const { atMs: at, reason, ...what } = event
    return [{ event: { ...what, at, kind, name, namespace, reason: reason?.slice(0, MAX_REASON_LENGTH) } }]
  }
  const send = async (all: readonly Shown[], last: boolean) => {
    for (let from = 0; from === 0 || from < all.length; from += EVENTS_PER_FRAME) {
      const page = all.slice(from, from + EVENTS_PER_FRAME)
      const isLast = last && from + EVENTS_PER_FRAME >= all.length
      const body = encodeEventReply({
        events: page.flatMap((one) => ('event' in one ? [one.event] : [])),
        nodes: page.flatMap((one) => ('node' in one ? [one.node] : []))
      })
      await reply.send(body, { last: isLast, signal })
    }
  }
  const waiting: Shown[] = []
  let wake = Promise.withResolvers<void>()
  const add = (...shown: Shown[]) => {
    waiting.push(...shown)
    wake.resolve()
  }
  const nodes = payload.nodes ? context.init.nodeEvents?.() : undefined
  const onNode = ({ detail }: CustomEvent<NodeEvent>) => add(toShownNode(detail))
  const unfollow = [() => nodes?.removeEventListener('member:event', onNode)]
  // before the past is read, so that nothing falls between
  if (payload.follow) {
    unfollow.push(context.onEvent((event) => add(...toShown(event))))
    nodes?.addEventListener('member:event', onNode)
  }
  const onAbort = () => wake.resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const isRecent = ({ atMs }: { atMs: number }) => atMs >= payload.since
    const past = context.recentEvents().filter(isRecent).flatMap(toShown)
    const pastNodes = (nodes?.recentEvents() ?? []).filter(isRecent).map(toShownNode)
    await send([...past, ...pastNodes], !payload.follow)
    while (payload.follow && !signal.aborted) {
      await wake.promise
      wake = Promise.withResolvers<void>()
      if (waiting.length > MAX_WAITING_EVENTS)
        throw new WorkloadsError('TOO_SLOW', 'events came faster than they were read', { retryable: true })
      if (waiting.length > 0) await send(waiting.splice(0), false)
    }
  } finally {
    for (const stop of unfollow) stop()
    signal.removeEventListener('abort', onAbort)
  }
}

function toShownNode({ type, atMs: at, peerId, name }: NodeEvent): Shown {
  return { node: { type, at, publicKey: publicKeyFromPeerId(peerId), name } }
}
