import { type Abortable, isoTime, safeText } from '../common/index.ts'
import { decode } from '../envelope/index.ts'
import { EVENT_REPLY, encodeQuery } from '../generated/fbs/index.ts'
import { formatManifestId } from '../manifest/index.ts'
import { WireError } from '../wire/index.ts'
import type { Session } from './connection/session.ts'
import { mergeAll } from './merge.ts'
import type { SeenNode } from './nodes.ts'
import type { EventsQuery, WorkloadEventView } from './types.ts'

/** A node that has not said anything by then is taken for silent, ms; the others are shown without it. Chosen. */
const FIRST_ANSWER_MS = 5_000

export interface EventsSource {
  readonly nodes: readonly SeenNode[]
  readonly manifestIds: readonly Uint8Array[]
  /** Called once for each node that does not answer, or stops answering. */
  readonly onSilent: (node: SeenNode, error: unknown) => void
}

/** What happened to the owner's workloads on all these nodes: first the past of each, then, with `follow`, as it happens. */
export async function* eventsOf(
  session: Session,
  { nodes, manifestIds, onSilent }: EventsSource,
  { signal, ...query }: EventsQuery
): AsyncGenerator<WorkloadEventView> {
  const stop = new AbortController()
  const limited = AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])])
  const source = async function* (node: SeenNode): AsyncGenerator<WorkloadEventView> {
    try {
      yield* eventsOn(session, { node, manifestIds }, { ...query, signal: limited })
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
  { node, manifestIds }: { readonly node: SeenNode; readonly manifestIds: readonly Uint8Array[] },
  { follow, sinceMs, signal }: EventsQuery & Required<Abortable>
): AsyncGenerator<WorkloadEventView> {
  const encode = (replyKey: Uint8Array) =>
    encodeQuery({ replyKey, manifestIds: manifestIds.map((value) => ({ value })), follow, since: sinceMs })
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(noAnswer(node)), FIRST_ANSWER_MS)
  try {
    const given = AbortSignal.any([signal, late.signal])
    for await (const body of session.ask(node, 'events', encode, { signal: given })) {
      clearTimeout(timer)
      for (const event of decode(EVENT_REPLY, body).events)
        yield {
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
  } finally {
    clearTimeout(timer)
  }
}
