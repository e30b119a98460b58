import { createHash } from 'node:crypto'
import { base32 } from 'multiformats/bases/base32'
import { base36 } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { concat } from '../common/index.ts'
import { IdentityError } from './errors.ts'

/** Identity multihash (00, 36 bytes) of a libp2p public key protobuf (type 1 = Ed25519, 32 bytes of data). */
const MULTIHASH_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
/** CIDv1 with the codec libp2p-key. */
const CID_PREFIX = Uint8Array.of(0x01, 0x72)
/** Longest text accepted: base32 of a CIDv1 has 65 characters. */
const MAX_TEXT_LENGTH = 80

/** The 38 bytes that libp2p calls the peer ID: 00 24 08 01 12 20, then the key. */
export function peerIdMultihash(publicKey: Uint8Array): Uint8Array {
  assertPublicKey(publicKey)
  return concat(MULTIHASH_PREFIX, publicKey)
}

/** The usual text form, 12D3Koo…. @param publicKey Uint8Array(32), Ed25519 @throws IdentityError IDENTITY_KEY_INVALID */
export function peerIdFromPublicKey(publicKey: Uint8Array): string {
  return base58btc.baseEncode(peerIdMultihash(publicKey))
}

/**
 * The Ed25519 key inside a peer ID, Uint8Array(32). Says nothing of whether the key is a safe one.
 * @param text 12D3Koo…, or the CIDv1 forms k51… and bafz…
 * @throws IdentityError PEER_ID_INVALID, also for peer IDs of other key types
 */
export function publicKeyFromPeerId(text: string): Uint8Array {
  const multihash = decode(text)
  const prefixed = MULTIHASH_PREFIX.every((byte, index) => multihash[index] === byte)
  if (!prefixed || multihash.byteLength !== MULTIHASH_PREFIX.byteLength + 32)
    throw invalid(text, 'it does not hold an Ed25519 public key')
  return multihash.slice(MULTIHASH_PREFIX.byteLength)
}

/** sha256 of the peer ID multihash, Uint8Array(32): what an envelope calls its audience. */
export function audienceOf(publicKey: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(peerIdMultihash(publicKey)).digest())
}

function decode(text: string): Uint8Array {
  if (text.length > MAX_TEXT_LENGTH) throw invalid(text, `it has more than ${MAX_TEXT_LENGTH} characters`)
  try {
    if (text.startsWith('12D3')) return base58btc.baseDecode(text)
    const cid = text.startsWith('k')
      ? base36.decode(text)
      : text.startsWith('b')
        ? base32.decode(text)
        : undefined
    if (cid !== undefined && CID_PREFIX.every((byte, index) => cid[index] === byte))
      return cid.subarray(CID_PREFIX.byteLength)
  } catch (cause) {
    throw invalid(text, 'it is not well-formed', cause)
  }
  throw invalid(text, 'expected 12D3Koo…, k51… or bafz…')
}

function invalid(text: string, why: string, cause?: unknown): IdentityError {
  const shown = text.slice(0, MAX_TEXT_LENGTH)
  return new IdentityError('PEER_ID_INVALID', `${JSON.stringify(shown)} is not a peer ID: ${why}`, { cause })
}

function assertPublicKey(publicKey: Uint8Array): void {
  if (publicKey.byteLength !== 32)
    throw new IdentityError(
      'IDENTITY_KEY_INVALID',
      `an Ed25519 public key has 32 bytes, got ${publicKey.byteLength}`
    )
}
