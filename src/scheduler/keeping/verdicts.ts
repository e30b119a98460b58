import { createHash } from 'node:crypto'
import { equalBytes, isBeemeshError, safeText, toError } from '../../common/index.ts'
import type { VerdictInit } from '../../generated/fbs/index.ts'
import { type Bundle, WorkloadsError } from '../../workloads/index.ts'
import type { CheckedRecord } from '../types.ts'

/** Whether a bundle is all that its record says. @throws WorkloadsError RECORD_INVALID */
export function assertComplete(record: CheckedRecord, { ciphertext, sealedShares }: Bundle): void {
  if (record.tombstone) return
  const digest = createHash('sha256').update(ciphertext!).digest()
  if (!equalBytes(record.ciphertextDigest ?? new Uint8Array(), digest))
    throw new WorkloadsError('RECORD_INVALID', 'the ciphertext is not the one the record names')
  if (sealedShares.length !== record.shareHolders.length)
    throw new WorkloadsError('RECORD_INVALID', 'the record names other shares than there are')
}

/** What went wrong, for the node that asked. */
export function refusal(thrown: unknown): VerdictInit {
  const error = toError(thrown)
  const code = isBeemeshError(error) ? error.code : 'INTERNAL'
  const retryable = isBeemeshError(error) && error.retryable
  return { code, message: safeText(error.message, 900), retryable }
}

export function stale(highest: number, got: number): WorkloadsError {
  return new WorkloadsError('VERSION_STALE', 'the keepers of this manifest have seen a newer version of it', {
    details: { highest: String(highest), got: String(got) },
    hint: 'Apply again; if it stays, the clock of the machine that signs is behind.'
  })
}
