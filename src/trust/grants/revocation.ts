import { fromHex, toHex } from '../../common/index.ts'
import { decode, openObject, REVOCATION, signObject } from '../../envelope/index.ts'
import { encodeRevocation } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey, type SigningKey } from '../../identity/index.ts'
import { TrustError } from '../errors.ts'
import type { Grant, GrantChain } from './types.ts'

/** Longest that a revocation may ask to be kept; no grant should live longer. Chosen. */
export const MAX_REVOCATION_MS = 5 * 365 * 24 * 60 * 60 * 1000

/** Somebody's word that a grant does not count any more. */
export interface Revocation {
  /** Peer ID. */
  readonly author: string
  /** Of the grant, hexadecimal. */
  readonly grant: string
  readonly revokedAt: number
  /** The grant is over by then anyway, ms since epoch. */
  readonly forgetAfter: number
  readonly bytes: Uint8Array
}

/** @returns a SignedObject of kind revocation */
export function signRevocation(
  key: SigningKey,
  {
    grant,
    networkId,
    nowMs,
    forgetAfter
  }: {
    readonly grant: string
    readonly networkId: Uint8Array
    readonly nowMs: number
    readonly forgetAfter: number
  }
): Uint8Array {
  const body = encodeRevocation({ grant: fromHex(grant), revokedAt: nowMs, forgetAfter })
  return signObject({ kind: 'revocation', body, key, networkId })
}

/** @throws EnvelopeError; TrustError REVOCATION_INVALID when it should be kept for longer than any grant lives */
export function openRevocation(
  bytes: Uint8Array,
  { networkId, nowMs }: { readonly networkId: Uint8Array; readonly nowMs: number }
): Revocation {
  const { author, body } = openObject(bytes, { kind: 'revocation', networkId })
  const { grant, revokedAt, forgetAfter } = decode(REVOCATION, body)
  if (forgetAfter > nowMs + MAX_REVOCATION_MS)
    throw new TrustError('REVOCATION_INVALID', 'the revocation asks to be kept for too long')
  return { author: peerIdFromPublicKey(author), grant: toHex(grant), revokedAt, forgetAfter, bytes }
}

/** Whether a link of a chain is revoked by somebody who may: the root, or whoever issued it or one above it. */
export function isRevokedBy(
  authors: ReadonlySet<string> | undefined,
  link: Grant,
  chain: GrantChain
): boolean {
  if (authors === undefined) return false
  for (const { issuer, id } of chain.links) {
    if (authors.has(issuer)) return true
    if (id === link.id) return false
  }
  return false
}
