import { equalBytes } from '../common/index.ts'
import type { SigningKey } from '../identity/index.ts'
import { TrustError } from './errors.ts'
import { openChain } from './grants/chain.ts'
import { GRANT_LIFETIME_MS, signGrant } from './grants/grant.ts'
import type { GrantChain } from './grants/types.ts'

/** One year. Chosen: a home machine may sleep for months. */
export const MEMBERSHIP_LIFETIME_MS = GRANT_LIFETIME_MS

/** A clock that is a little behind the issuer's must not refuse a fresh grant. Same as the envelope's window. */
const CLOCK_SKEW_MS = 30_000

/** A valid membership of a node. */
export interface Membership {
  /** Peer ID of the root it comes from. */
  readonly issuer: string
  /** When the first of its links ends, ms since epoch. */
  readonly notAfter: number
  readonly chain: GrantChain
}

/**
 * The owner's signed statement that a node belongs to its network.
 * @param subject Uint8Array(32), the node's Ed25519 public key
 * @returns a SignedObject of kind grant
 */
export function signMembership(
  owner: SigningKey,
  { subject, networkId, nowMs }: { subject: Uint8Array; networkId: Uint8Array; nowMs: number }
): Uint8Array {
  const notAfter = nowMs + MEMBERSHIP_LIFETIME_MS
  return signGrant(owner, { subject, actions: ['member'], notAfter, networkId, nowMs })
}

/**
 * Checks a membership, one grant or a chain, and says from which root it comes. Whether that is one the caller trusts, and whether a
 * link is revoked, is the caller's question.
 * @throws TrustError MEMBERSHIP_INVALID, GRANT_INVALID; EnvelopeError when the bytes or a signature are wrong
 */
export function openMembership(
  bytes: Uint8Array,
  { subject, networkId, nowMs }: { subject: Uint8Array; networkId: Uint8Array; nowMs: number }
): Membership {
  const { subjectKey, ...chain } = openChain(bytes, { networkId })
  if (!equalBytes(subjectKey, subject))
    throw new TrustError('MEMBERSHIP_INVALID', 'the membership is for another node')
  if (!chain.terms.actions.includes('member'))
    throw new TrustError('MEMBERSHIP_INVALID', 'the grant does not give membership')
  const notBefore = Math.max(...chain.links.map((link) => link.notBefore))
  const notAfter = Math.min(...chain.links.map((link) => link.notAfter))
  if (nowMs < notBefore - CLOCK_SKEW_MS || nowMs >= notAfter)
    throw new TrustError('MEMBERSHIP_INVALID', 'the membership is not valid at this time', {
      details: { notBefore, notAfter }
    })
  return { issuer: chain.root, notAfter, chain }
}
