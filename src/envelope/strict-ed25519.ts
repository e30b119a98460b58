/**
 * One meaning of "valid signature" on every Node version: the key must be canonical, not of small order and free of
 * torsion (checked with @noble/ed25519, once per key), the signature is checked by node:crypto, 13 times faster
 * (crypto.md section 2). test/vectors/ed25519-strictness.json holds the cases in which libraries disagree.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { Point } from '@noble/ed25519'
import { toHex } from '../common/index.ts'
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from './constants.ts'

/** Keys remembered. Source: crypto.md section 8. A key that has been pushed out costs one check (about 1 ms) again. */
export const KEY_CACHE_SIZE = 4096

/** SPKI of an Ed25519 key up to its 32 bytes (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** Key in hex -> what node:crypto verifies with, or undefined for a weak key. In order of last use. */
const cache = new Map<string, KeyObject | undefined>()

/** Whether a key may sign anything here. @param publicKey Uint8Array(32) */
export function isStrongKey(publicKey: Uint8Array): boolean {
  return keyObjectOf(publicKey) !== undefined
}

/** @param signature Uint8Array(64); false also for weak keys and wrong lengths. Never throws. */
export function verifyStrict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.byteLength !== SIGNATURE_BYTES) return false
  const key = keyObjectOf(publicKey)
  return key !== undefined && verify(null, message, key, signature)
}

function keyObjectOf(publicKey: Uint8Array): KeyObject | undefined {
  if (publicKey.byteLength !== PUBLIC_KEY_BYTES) return undefined
  const name = toHex(publicKey)
  const known = cache.get(name)
  const isKnown = known !== undefined || cache.has(name)
  const key = isKnown ? known : checkKey(publicKey)
  if (isKnown) cache.delete(name)
  else if (cache.size >= KEY_CACHE_SIZE) cache.delete(cache.keys().next().value!)
  cache.set(name, key)
  return key
}

function checkKey(publicKey: Uint8Array): KeyObject | undefined {
  try {
    const point = Point.fromBytes(Uint8Array.from(publicKey), false)
    if (point.isSmallOrder() || !point.isTorsionFree()) return undefined
    return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
  } catch {
    return undefined // because noble throws for an encoding that is not canonical or not on the curve
  }
}
