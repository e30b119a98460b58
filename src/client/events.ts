import { type Abortable, equalBytes, isoTime, safeText } from '../common/index.ts'
import { decode } from '../envelope/index.ts'
import { EVENT_REPLY, type Event, encodeQuery, type NodeEvent } from '../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../identity/index.ts'
import { formatManifestId } from '../manifest/index.ts'
import { WireError } from '../wire/index.ts'
import type { Session } from './connection/session.ts'
import { mergeAll } from './merge.ts'
import type { SeenNode } from './nodes.ts'
import type { EventsQuery, EventView, NodeEventView, WorkloadEventView } from './types.ts'

/** A node that has not said anything by then is taken for silent, ms; the others are shown without it. Chosen. */
const FIRST_ANSWER_MS = 5_000

export interface EventsSource {
  readonly nodes: readonly SeenNode[]
  readonly manifestIds: readonly Uint8Array[]
  /** The one that is asked what happened to nodes, too. @default none */
  readonly observer?: Uint8Array
  /** Called once for each node that does not answer, or stops answering. */
  readonly onSilent: (node: SeenNode, error: unknown) => void
}

/** What happened to the owner's workloads on all these nodes, and to nodes as the observer saw it: first the past of each, then, with `follow`, as it happens. */
export async function* eventsOf(
  session: Session,
  { nodes, manifestIds, observer, onSilent }: EventsSource,
  { signal, ...query }: EventsQuery
): AsyncGenerator<EventView> {
  const stop = new AbortController()
  const limited = AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])])
  const source = async function* (node: SeenNode): AsyncGenerator<EventView> {
    try {
      const observes = observer !== undefined && equalBytes(node.publicKey, observer)
      yield* eventsOn(session, { node, manifestIds, observes }, { ...query, signal: limited })
    } catch (error) {
      if (!limited.aborted) onSilent(node, error)
    }
  }
  yield* mergeAll(nodes.map(source), stop)
}

function noAnswer({ name }: SeenNode): WireError {
  return new WireError('NODE_UNREACHABLE', `${name} did not answer in time`, { retryable: true })
}

async function* eventsOn(
  session: Session,
  { node, manifestIds, observes }: { node: SeenNode; manifestIds: readonly Uint8Array[]; observes: boolean },
  { follow, sinceMs, signal }: EventsQuery & Required<Abortable>
): AsyncGenerator<EventView> {
  const encode = (replyKey: Uint8Array) =>
    encodeQuery({
      replyKey,
      manifestIds: manifestIds.map((value) => ({ value })),
      follow,
      since: sinceMs,
      nodes: observes
    })
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(noAnswer(node)), FIRST_ANSWER_MS)
  try {
    const given = AbortSignal.any([signal, late.signal])
    for await (const body of session.ask(node, 'events', encode, { signal: given })) {
      clearTimeout(timer)
      const { events, nodes } = decode(EVENT_REPLY, body)
      for (const event of events) yield toWorkloadEvent(event, node)
      for (const event of nodes) yield toNodeEvent(event, node)
    }
  } finally {
    clearTimeout(timer)
  }
}

function toWorkloadEvent(event: Event, node: SeenNode): WorkloadEventView {
  return {
    peerId: node.peerId,
    node: node.name,
    type: event.type,
    timestamp: isoTime(event.at),
    manifestId: formatManifestId(event.manifestId),
    version: String(event.version),
    kind: safeText(event.kind ?? '', 32) || undefined,
    name: safeText(event.name ?? '', 253) || undefined,
    namespace: safeText(event.namespace ?? '', 63) || undefined,
    workloadId: safeText(event.workloadId, 63),
    ordinal: event.ordinal,
    reason: event.reason === undefined ? undefined : safeText(event.reason, 1_000)
  }
}

function toNodeEvent({ type, at, publicKey, name }: NodeEvent, seenBy: SeenNode): NodeEventView {
  return {
    peerId: peerIdFromPublicKey(publicKey),
    node: safeText(name ?? '', 63),
    type,
    timestamp: isoTime(at),
    seenBy: seenBy.name
  }
}
