import { isoTime, safeText } from '../common/index.ts'
import { decode } from '../envelope/index.ts'
import { encodeQuery, LOG_REPLY } from '../generated/fbs/index.ts'
import type { Session } from './connection/session.ts'
import type { SeenNode } from './nodes.ts'
import type { LogLineView, LogsQuery } from './types.ts'

/** Log lines of the copies on one node, as they come. */
export async function* logsOf(
  session: Session,
  { node, manifestId }: { readonly node: SeenNode; readonly manifestId: Uint8Array },
  { follow, tail, sinceMs, container, signal }: LogsQuery
): AsyncGenerator<LogLineView> {
  const encode = (replyKey: Uint8Array) =>
    encodeQuery({
      replyKey,
      manifestIds: [{ value: manifestId }],
      follow,
      tail: tail ?? -1,
      since: sinceMs,
      container
    })
  for await (const body of session.ask(node, 'logs', encode, { signal }))
    for (const entry of decode(LOG_REPLY, body).entries)
      yield {
        peerId: node.peerId,
        node: node.name,
        workloadId: safeText(entry.workloadId, 63),
        container: safeText(entry.container, 63),
        stream: entry.stream,
        timestamp: isoTime(entry.timestamp),
        line: safeText(entry.line, 65_536)
      }
}
