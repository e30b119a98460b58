import { equalBytes } from '../common/index.ts'
import { decode, openObject, signObject } from '../envelope/index.ts'
import { encodeGrant, GRANT } from '../generated/fbs/index.ts'
import { peerIdFromPublicKey, type SigningKey } from '../identity/index.ts'
import { TrustError } from './errors.ts'

/** One year. Chosen: revocation and renewal do not exist yet, and a home machine may sleep for months. */
export const MEMBERSHIP_LIFETIME_MS = 365 * 24 * 60 * 60 * 1000

/** A clock that is a little behind the issuer's must not refuse a fresh grant. Same as the envelope's window. */
const CLOCK_SKEW_MS = 30_000

/**
 * The owner's signed statement that a node belongs to its network.
 * @param subject Uint8Array(32), the node's Ed25519 public key
 * @returns a SignedObject of kind grant
 */
export function signMembership(
  owner: SigningKey,
  { subject, networkId, nowMs }: { subject: Uint8Array; networkId: Uint8Array; nowMs: number }
): Uint8Array {
  const body = encodeGrant({
    subject,
    actions: ['member'],
    notBefore: nowMs,
    notAfter: nowMs + MEMBERSHIP_LIFETIME_MS
  })
  return signObject({ kind: 'grant', body, key: owner, networkId })
}

/**
 * Checks a membership grant and says who issued it (a peer ID). Whether that issuer is a root is the caller's question.
 * @throws TrustError MEMBERSHIP_INVALID; EnvelopeError when the bytes or the signature are wrong
 */
export function openMembership(
  bytes: Uint8Array,
  { subject, networkId, nowMs }: { subject: Uint8Array; networkId: Uint8Array; nowMs: number }
): { issuer: string; notAfter: number } {
  const { author, body } = openObject(bytes, { kind: 'grant', networkId })
  const grant = decode(GRANT, body)
  const issuer = peerIdFromPublicKey(author)
  if (!equalBytes(grant.subject, subject))
    throw new TrustError('MEMBERSHIP_INVALID', 'the membership is for another node')
  if (!grant.actions.includes('member'))
    throw new TrustError('MEMBERSHIP_INVALID', 'the grant does not give membership')
  if (nowMs < grant.notBefore - CLOCK_SKEW_MS || nowMs >= grant.notAfter)
    throw new TrustError('MEMBERSHIP_INVALID', 'the membership is not valid at this time', {
      details: { notBefore: grant.notBefore, notAfter: grant.notAfter }
    })
  return { issuer, notAfter: grant.notAfter }
}
