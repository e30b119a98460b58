import { createHash } from 'node:crypto'
import { utf8 } from '../common/index.ts'

const START_TAG = utf8('beemesh.v1/audit-start\0')
const ENTRY_TAG = utf8('beemesh.v1/audit\0')

/** The hash before the first entry: every node's chain is its own from the beginning. @returns Uint8Array(32) */
export function startHash(networkId: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return sha256(START_TAG, networkId, publicKey)
}

/** The hash of an entry. @param entry its bytes as stored @returns Uint8Array(32) */
export function entryHash(previous: Uint8Array, entry: Uint8Array): Uint8Array {
  return sha256(ENTRY_TAG, previous, entry)
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}
