import {
  ENVELOPE_VERSION,
  HEADER_BYTES,
  MAGIC,
  MAX_AGE_MS,
  MAX_FUTURE_MS,
  SIGNATURE_ALGORITHM
} from './constants.ts'
import { EnvelopeError } from './errors.ts'
import { type MessageType, messageTypeOf } from './message-types.ts'

/** The 136 bytes of ARCHITECTURE.md section 5 as values. Byte fields have their fixed lengths. */
export interface Header {
  readonly type: number
  readonly author: Uint8Array
  readonly networkId: Uint8Array
  readonly timestampMs: number
  readonly nonce: Uint8Array
  readonly audience: Uint8Array
  readonly payloadBytes: number
}

/** Uint8Array(136), big-endian. */
export function encodeHeader(header: Header): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC)
  bytes[4] = ENVELOPE_VERSION
  bytes[5] = SIGNATURE_ALGORITHM
  bytes[6] = header.type
  bytes.set(header.author, 8)
  bytes.set(header.networkId, 40)
  view.setBigUint64(72, BigInt(Math.trunc(header.timestampMs)))
  bytes.set(header.nonce, 80)
  bytes.set(header.audience, 96)
  view.setUint32(128, header.payloadBytes)
  return bytes
}

/**
 * Reads the header and checks what needs nothing else: magic, version, algorithm, flags, reserved bytes, type.
 * @param bytes Uint8Array(136); the result's byte fields are views of it
 * @throws EnvelopeError MESSAGE_MALFORMED, VERSION_UNSUPPORTED, ALGORITHM_UNSUPPORTED, WRONG_TYPE
 */
export function decodeHeader(bytes: Uint8Array): Header & { readonly row: MessageType } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0) !== MAGIC)
    throw new EnvelopeError('MESSAGE_MALFORMED', 'the header does not begin with BMSH')
  if (bytes[4] !== ENVELOPE_VERSION)
    throw new EnvelopeError(
      'VERSION_UNSUPPORTED',
      `the envelope has version ${bytes[4]}, this software speaks ${ENVELOPE_VERSION}`,
      { details: { expected: ENVELOPE_VERSION, got: bytes[4] }, hint: 'run the same release on both sides' }
    )
  if (bytes[5] !== SIGNATURE_ALGORITHM)
    throw new EnvelopeError('ALGORITHM_UNSUPPORTED', `signature algorithm ${bytes[5]} is not Ed25519 (1)`)
  if (bytes[7] !== 0 || view.getUint32(132) !== 0)
    throw new EnvelopeError('MESSAGE_MALFORMED', 'flags and reserved bytes of the header are not zero')
  const type = bytes[6]!
  const row = messageTypeOf(type)
  if (row === undefined) throw new EnvelopeError('WRONG_TYPE', `message type ${type} is unknown`)
  return {
    row,
    type,
    author: bytes.subarray(8, 40),
    networkId: bytes.subarray(40, 72),
    timestampMs: Number(view.getBigUint64(72)),
    nonce: bytes.subarray(80, 96),
    audience: bytes.subarray(96, 128),
    payloadBytes: view.getUint32(128)
  }
}

/** @throws EnvelopeError TIMESTAMP_STALE, TIMESTAMP_FUTURE */
export function checkClock(timestampMs: number, nowMs: number): void {
  const hint = 'compare the clocks of both machines (timedatectl)'
  if (timestampMs > nowMs + MAX_FUTURE_MS)
    throw new EnvelopeError(
      'TIMESTAMP_FUTURE',
      `the message is from ${Math.round((timestampMs - nowMs) / 1000)} s in the future, at most ${MAX_FUTURE_MS / 1000} s are allowed`,
      { retryable: true, hint, details: { timestampMs, nowMs } }
    )
  if (timestampMs < nowMs - MAX_AGE_MS)
    throw new EnvelopeError(
      'TIMESTAMP_STALE',
      `the message is ${Math.round((nowMs - timestampMs) / 1000)} s old, at most ${MAX_AGE_MS / 1000} s are allowed`,
      { retryable: true, hint, details: { timestampMs, nowMs } }
    )
}
