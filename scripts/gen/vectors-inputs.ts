/** Fixed inputs. The secrets in here are worth nothing. */
import { createHash } from 'node:crypto'
import { toHex } from '../../src/common/index.ts'
import { audienceOf, openNetwork, signingKeyFromSeed } from '../../src/identity/index.ts'

/** `size` bytes that follow from a label: SHAKE-256 of it. */
export function pattern(label: string, size: number): Uint8Array {
  return new Uint8Array(createHash('shake256', { outputLength: size }).update(label).digest())
}

export const hex = toHex
export const NETWORK = openNetwork('vectors')
export const OWNER_SEED = pattern('owner seed', 32)
export const NODE_SEED = pattern('node seed', 32)
export const OWNER = signingKeyFromSeed(OWNER_SEED)
export const NODE = signingKeyFromSeed(NODE_SEED)
export const NODE_AUDIENCE = audienceOf(NODE.publicKey)
/** 2026-01-01T00:00:00Z */
export const NOW_MS = 1_767_225_600_000
/** CIDv1, raw, sha2-256 of nothing in particular. */
export const MANIFEST_ID = Uint8Array.of(0x01, 0x55, 0x12, 0x20, ...pattern('manifest', 32))
export const VERSION = NOW_MS
