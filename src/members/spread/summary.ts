import { concat, fromHex, toHex } from '../../common/index.ts'
import type { NodeView } from '../types.ts'

/** A member in a summary: the first bytes of its public key, and when its newest statement was issued. */
const KEY_BYTES = 8
const ENTRY_BYTES = KEY_BYTES + 8
/** Members in one summary, so that it takes at most 64 KiB. Source: fbs/exchange.fbs */
export const MAX_SUMMARY = 65_536 / ENTRY_BYTES

/** The first 8 bytes of a member's public key, hexadecimal. Two that share them are told apart by their statements. */
export function summaryKey(publicKey: Uint8Array): string {
  return toHex(publicKey.subarray(0, KEY_BYTES))
}

/** 16 bytes a member: key, then u64be of issuedAt. */
export function encodeSummary(nodes: readonly Pick<NodeView, 'publicKey' | 'issuedAtMs'>[]): Uint8Array {
  const bytes = Buffer.alloc(Math.min(nodes.length, MAX_SUMMARY) * ENTRY_BYTES)
  for (const [index, { publicKey, issuedAtMs }] of nodes.slice(0, MAX_SUMMARY).entries()) {
    bytes.set(publicKey.subarray(0, KEY_BYTES), index * ENTRY_BYTES)
    bytes.writeBigUInt64BE(BigInt(issuedAtMs), index * ENTRY_BYTES + KEY_BYTES)
  }
  return new Uint8Array(bytes)
}

/** issuedAt by {@link summaryKey}; what is cut off at the end does not count. */
export function decodeSummary(bytes: Uint8Array): Map<string, number> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const known = new Map<string, number>()
  for (let at = 0; at + ENTRY_BYTES <= bytes.byteLength; at += ENTRY_BYTES)
    known.set(toHex(bytes.subarray(at, at + KEY_BYTES)), Number(view.readBigUInt64BE(at + KEY_BYTES)))
  return known
}

/** Keys alone, 8 bytes each. */
export function encodeKeys(keys: readonly string[]): Uint8Array {
  return concat(...keys.map((key) => fromHex(key)))
}

export function decodeKeys(bytes: Uint8Array): Set<string> {
  const keys = new Set<string>()
  for (let at = 0; at + KEY_BYTES <= bytes.byteLength; at += KEY_BYTES)
    keys.add(toHex(bytes.subarray(at, at + KEY_BYTES)))
  return keys
}
