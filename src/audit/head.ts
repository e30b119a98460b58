import { equalBytes } from '../common/index.ts'
import { AUDIT_HEAD, decode, EnvelopeError, openObject, signObject } from '../envelope/index.ts'
import { encodeAuditHead } from '../generated/fbs/index.ts'
import { peerIdFromPublicKey, type SigningKey } from '../identity/index.ts'
import type { ChainPoint, LogState } from './types.ts'

/** A node's signed word of how its log goes. */
export interface Head extends ChainPoint {
  /** Of who signed it. */
  readonly peerId: string
  /** The last entry the log had then. */
  readonly length: number
  /** When it got that long, ms since epoch. */
  readonly atMs: number
  /** SignedObject of kind auditHead. */
  readonly bytes: Uint8Array
}

/** Signs a place of the chain, and with it how long the log is. @param point at most at its end */
export function signHead(
  { sequence, hash }: ChainPoint,
  { log, key, networkId }: { log: LogState; key: SigningKey; networkId: Uint8Array }
): Uint8Array {
  const body = encodeAuditHead({ sequence, hash, length: log.sequence, at: log.atMs })
  return signObject({ kind: 'auditHead', body, key, networkId })
}

/** @throws EnvelopeError when it is none, is not signed for this network, or contradicts itself */
export function openHead(bytes: Uint8Array, { networkId }: { networkId: Uint8Array }): Head {
  const { author, body } = openObject(bytes, { kind: 'auditHead', networkId })
  const { sequence, hash, length, at } = decode(AUDIT_HEAD, body)
  if (sequence > length)
    throw new EnvelopeError('MESSAGE_MALFORMED', 'the head of an audit log is beyond its end')
  return { peerId: peerIdFromPublicKey(author), sequence, hash, length, atMs: at, bytes }
}

/**
 * Whether no honest node can have signed both: the log would have had two hashes at one place, or have become shorter. Of
 * one node's heads only.
 */
export function contradict(a: Head, b: Head): boolean {
  if (a.sequence === b.sequence && !equalBytes(a.hash, b.hash)) return true
  return Math.sign(a.length - b.length) !== Math.sign(a.atMs - b.atMs)
}
