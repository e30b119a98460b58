import { type Abortable, isoTime, safeText } from '../../common/index.ts'
import { AUDIT_ENTRY, decode } from '../../envelope/index.ts'
import { AUDIT_LIST, type AuditEntry, type AuditList, encodeAuditRequest } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../../identity/index.ts'
import { formatManifestId } from '../../manifest/index.ts'
import type { Session, Target } from '../connection/session.ts'
import type { AuditEntryView, AuditQuery } from './types.ts'

/** What a node answers to `audit`, frame by frame. */
export async function* fetchAudit(
  session: Session,
  target: Target,
  {
    from,
    sinceMs,
    refused,
    headsOf,
    signal
  }: AuditQuery & { readonly from?: number; readonly headsOf?: Uint8Array }
): AsyncGenerator<AuditList> {
  const encode = (replyKey: Uint8Array) =>
    encodeAuditRequest({ replyKey, from, since: sinceMs, refused, headsOf })
  for await (const body of session.ask(target, 'audit', encode, { signal })) yield decode(AUDIT_LIST, body)
}

/** The entries of a node's log, oldest first. Nothing is verified but that the node sent them. */
export async function* auditEntries(
  session: Session,
  target: Target,
  query: AuditQuery & Abortable
): AsyncGenerator<AuditEntryView> {
  for await (const { entries } of fetchAudit(session, target, query))
    for (const { value } of entries) yield toView(decode(AUDIT_ENTRY, value))
}

function toView(entry: AuditEntry): AuditEntryView {
  const { sequence, at, what, author, verified, manifestId, version, count, since } = entry
  return {
    sequence,
    timestamp: isoTime(at),
    what,
    action: safeText(entry.action, 32),
    author: author && peerIdFromPublicKey(author),
    verified,
    transport: shown(entry.transport),
    manifestId: manifestId && formatManifestId(manifestId),
    version: version === 0 ? undefined : String(version),
    code: shown(entry.code),
    rule: shown(entry.rule),
    count: Math.max(1, count),
    since: since === 0 ? undefined : isoTime(since)
  }
}

function shown(text: string | undefined): string | undefined {
  return text === undefined ? undefined : safeText(text, 128).replace(/\s/g, ' ') || undefined
}
