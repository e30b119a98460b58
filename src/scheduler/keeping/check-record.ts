import { createHash } from 'node:crypto'
import { decode, openObject } from '../../envelope/index.ts'
import { RECORD } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../../identity/index.ts'
import { authorise, heirOf, TrustError, type TrustState } from '../../trust/index.ts'
import { assertSound } from '../../workloads/index.ts'
import type { CheckedRecord } from '../types.ts'

/**
 * Checks a record that another node brought: signed by an owner whom this node lets apply, or delete.
 * @throws EnvelopeError, TrustError NOT_AUTHORISED, WorkloadsError RECORD_INVALID
 */
export function checkRecord(
  bytes: Uint8Array,
  { networkId, trust }: { networkId: Uint8Array; trust: TrustState }
): CheckedRecord {
  const { author: owner, body } = openObject(bytes, { kind: 'record', networkId })
  const ownerPeerId = peerIdFromPublicKey(owner)
  // because what an owner signed with a key that was replaced since goes on running
  const author = heirOf(trust.successors, ownerPeerId)
  const decision = authorise({ author, action: 'apply' }, trust)
  if (!decision.allowed) throw new TrustError('NOT_AUTHORISED', decision.reason, { hint: decision.hint })
  const record = decode(RECORD, body)
  assertSound(record)
  return {
    ...record,
    digest: new Uint8Array(createHash('sha256').update(body).digest()),
    owner,
    ownerPeerId
  }
}
