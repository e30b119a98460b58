import { AUDIT_ENTRY, decode } from '../envelope/index.ts'
import { type AuditRequest, encodeAuditList } from '../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../identity/index.ts'
import type { OwnerRequest } from '../wire/index.ts'
import type { AuditLog } from './audit-log.ts'
import { ENTRIES_PER_FRAME } from './constants.ts'
import type { WitnessBook } from './witness/book.ts'

const toBytes = (value: Uint8Array) => ({ value })

/** The log of this node, or what it holds of somebody else's, to an owner. */
export async function answerOwner(
  { log, book }: { log: AuditLog; book: WitnessBook },
  { payload, reply, signal }: OwnerRequest<AuditRequest>
): Promise<void> {
  const { headsOf, since, refused } = payload
  if (headsOf !== undefined) {
    const { heads, evidence } = book.of(peerIdFromPublicKey(headsOf))
    const body = encodeAuditList({
      heads: heads.map(({ bytes }) => toBytes(bytes)),
      evidence: evidence.flat().map(({ bytes }) => toBytes(bytes))
    })
    return reply.send(body, { last: true, signal })
  }
  await log.flush()
  const { sequence: to, cut } = log.state
  // both of the same state, because the log goes on while it is read
  const [base, head] = await Promise.all([log.headAt(cut.sequence), log.headAt(to)])
  const from = Math.max(payload.from, since === 0 ? 0 : await log.firstSince(since))
  let page: { value: Uint8Array }[] = []
  let first = true
  const send = async (last: boolean) => {
    const ends = { base: first ? base : undefined, head: last ? head : undefined }
    first = false
    await reply.send(encodeAuditList({ entries: page, ...ends }), { last, signal })
    page = []
  }
  for await (const { bytes } of log.entries({ from, to })) {
    if (refused && !isRefusal(bytes)) continue
    if (page.length >= ENTRIES_PER_FRAME) await send(false)
    page.push({ value: bytes })
  }
  await send(true)
}

function isRefusal(bytes: Uint8Array): boolean {
  return decode(AUDIT_ENTRY, bytes).what === 'refused'
}
