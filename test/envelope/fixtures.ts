import { createHash } from 'node:crypto'
import { signEnvelope } from '../../src/envelope/index.ts'
import {
  encodeApplyRequest,
  encodeQuery,
  encodeRecord,
  type RecordInit
} from '../../src/generated/fbs/index.ts'
import { audienceOf, openNetwork, signingKeyFromSeed } from '../../src/identity/index.ts'

/** Bytes that follow from a label, so that failures repeat. */
export function bytesOf(label: string, size: number): Uint8Array {
  return new Uint8Array(createHash('shake256', { outputLength: size }).update(label).digest())
}

/** mulberry32: small, seeded, good enough to pick mutations. */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

export const NOW_MS = 1_800_000_000_000
export const NETWORK = openNetwork('test')
export const OWNER = signingKeyFromSeed(bytesOf('owner', 32))
export const STRANGER = signingKeyFromSeed(bytesOf('stranger', 32))
export const NODE = signingKeyFromSeed(bytesOf('node', 32))
export const AUDIENCE = audienceOf(NODE.publicKey)
export const OPTIONS = { networkId: NETWORK.id, nowMs: NOW_MS, audience: AUDIENCE }

export function query(): Uint8Array {
  return encodeQuery({ replyKey: bytesOf('reply', 1216), workloadId: 'web-0', tail: 10 })
}

export const RECORD_FIELDS: RecordInit = {
  manifestId: bytesOf('manifest', 36),
  version: 7,
  issuedAt: NOW_MS,
  notAfter: NOW_MS + 1000,
  replicas: 2,
  cipher: 'aes256gcm',
  kem: 'xwing',
  plaintextBytes: 10,
  ciphertextDigest: bytesOf('digest', 32),
  keyCommitment: bytesOf('commitment', 32)
}

export function record(): Uint8Array {
  return encodeRecord(RECORD_FIELDS)
}

export function apply(): Uint8Array {
  return encodeApplyRequest({
    record: record(),
    ciphertext: bytesOf('ciphertext', 1052),
    sealedKeys: [
      { recipient: NODE.publicKey, sealingEpoch: 1, enc: bytesOf('enc', 1120), ciphertext: bytesOf('ct', 48) }
    ],
    ordinals: [0, 1],
    replyKey: bytesOf('reply', 1216)
  })
}

/** A good status request from OWNER to NODE at NOW_MS, with what the test wants changed. */
export function signed(changes: Partial<Parameters<typeof signEnvelope>[0]> = {}): Uint8Array {
  return signEnvelope({
    type: 'status',
    payload: query(),
    key: OWNER,
    networkId: NETWORK.id,
    audience: AUDIENCE,
    nowMs: NOW_MS,
    nonce: bytesOf('nonce', 16),
    ...changes
  })
}

/** The code of the error a function throws; 'nothing' when it throws none. Rethrows what has no code. */
export function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code)
    throw error
  }
  return 'nothing'
}

/** As {@link codeOf}, for promises. */
export async function codeOfAsync(run: () => Promise<unknown>): Promise<string> {
  try {
    await run()
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code)
    throw error
  }
  return 'nothing'
}
