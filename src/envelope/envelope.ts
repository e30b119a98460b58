import { createHash, randomBytes } from 'node:crypto'
import { concat, equalBytes } from '../common/index.ts'
import { ENVELOPE, encodeEnvelope, type Root } from '../generated/fbs/index.ts'
import { peerIdFromPublicKey, type SigningKey } from '../identity/index.ts'
import {
  AUDIENCE_BYTES,
  ENVELOPE_TAG,
  HEADER_BYTES,
  MAX_ENVELOPE_BYTES,
  NETWORK_ID_BYTES,
  NONCE_BYTES
} from './constants.ts'
import { EnvelopeError } from './errors.ts'
import { checkClock, decodeHeader, encodeHeader } from './header.ts'
import { MESSAGE_TYPES, type MessageTypeName, payloadRoot } from './message-types.ts'
import { isStrongKey, verifyStrict } from './strict-ed25519.ts'
import { decode, hasIdentifier, verify } from './verifier.ts'

const NO_AUDIENCE = new Uint8Array(AUDIENCE_BYTES)

export interface SignEnvelopeInit {
  readonly type: MessageTypeName
  /** A FlatBuffer that the type allows. */
  readonly payload: Uint8Array
  readonly key: SigningKey
  /** Uint8Array(32) */
  readonly networkId: Uint8Array
  /** Uint8Array(32), `audienceOf(public key)` of the receiver; undefined: everybody, where the type allows it. */
  readonly audience: Uint8Array | undefined
  /** ms since epoch */
  readonly nowMs: number
  /** Uint8Array(16). An answer repeats its request's. @default random */
  readonly nonce?: Uint8Array | undefined
}

/**
 * A signed envelope. Refuses to sign what a receiver would refuse: the payload is verified first.
 * @throws EnvelopeError WRONG_TYPE, WRONG_AUDIENCE, MESSAGE_MALFORMED, MESSAGE_TOO_LARGE
 */
export function signEnvelope(init: SignEnvelopeInit): Uint8Array {
  const { payload, key, networkId, audience = NO_AUDIENCE, nowMs } = init
  const row = MESSAGE_TYPES[init.type]
  const root = payloadRoot(row, payload)
  if (root === undefined) throw wrongPayload(init.type)
  verify(root, payload)
  if (init.audience === undefined && !row.broadcastAllowed)
    throw new EnvelopeError('WRONG_AUDIENCE', `a message of type ${init.type} needs an audience`)
  const nonce = init.nonce ?? randomBytes(NONCE_BYTES)
  assertLength('networkId', networkId, NETWORK_ID_BYTES)
  assertLength('audience', audience, AUDIENCE_BYTES)
  assertLength('nonce', nonce, NONCE_BYTES)
  const header = encodeHeader({
    type: row.type,
    author: key.publicKey,
    networkId,
    timestampMs: nowMs,
    nonce,
    audience,
    payloadBytes: payload.byteLength
  })
  const bytes = encodeEnvelope({
    header,
    payload,
    signature: key.sign(concat(ENVELOPE_TAG, header, payload))
  })
  if (bytes.byteLength > MAX_ENVELOPE_BYTES) throw tooLarge(bytes.byteLength)
  verify(ENVELOPE, bytes)
  return bytes
}

export interface OpenEnvelopeOptions {
  /** Uint8Array(32) */
  readonly networkId: Uint8Array
  /** ms since epoch */
  readonly nowMs: number
  /** Uint8Array(32): `audienceOf` our own key, or, for one who only passes it on, of the target's. */
  readonly audience: Uint8Array
}

/** An envelope whose header is in order and whose signature has NOT been checked yet. Owns all its bytes. */
export interface OpenedEnvelope {
  readonly type: MessageTypeName
  /** Uint8Array(32), who claims to have signed. */
  readonly author: Uint8Array
  /** 12D3Koo…, made when first asked for. */
  readonly authorPeerId: string
  /** ms since epoch, by the author's clock */
  readonly timestampMs: number
  /** Uint8Array(16) */
  readonly nonce: Uint8Array
  /** Uint8Array(32); undefined for a broadcast. */
  readonly audience: Uint8Array | undefined
  /** Not verified. Use {@link decodePayload}. */
  readonly payload: Uint8Array
  /** sha256 of header and payload, Uint8Array(32): the same whatever the signature's encoding. */
  readonly id: Uint8Array
  /** About 0.1 ms, and 1 ms more for a new key. @throws EnvelopeError KEY_WEAK, SIGNATURE_INVALID */
  verifySignature(): void
  /** Verifies, then reads. Call it after {@link verifySignature}. @throws EnvelopeError WRONG_TYPE, MESSAGE_MALFORMED */
  decodePayload<T>(root: Root<T>): T
}

/**
 * The cheap checks, in order: size, frame, magic, version, algorithm, flags, type, network, clock, audience, lengths,
 * identifier. No cryptography: who is unknown or over budget can be turned away before any.
 * @throws EnvelopeError with the code of the first check that failed
 */
export function openEnvelope(bytes: Uint8Array, options: OpenEnvelopeOptions): OpenedEnvelope {
  if (bytes.byteLength > MAX_ENVELOPE_BYTES) throw tooLarge(bytes.byteLength)
  // the one form of a frame ends with the header: what is refused for that costs neither a copy nor a look at the rest
  if (bytes.byteLength > HEADER_BYTES && hasIdentifier(bytes, ENVELOPE))
    checkHeader(bytes.subarray(-HEADER_BYTES), options)
  const frame = decode(ENVELOPE, bytes)
  const { header, payload, signature } = frame
  const checked = checkHeader(header, options)
  const { row, author, timestampMs, nonce, audience, payloadBytes, broadcast } = checked
  if (payloadBytes !== payload.byteLength)
    throw new EnvelopeError(
      'MESSAGE_MALFORMED',
      `the header says ${payloadBytes} bytes of payload, there are ${payload.byteLength}`
    )
  if (payloadRoot(row, payload) === undefined) throw wrongPayload(row.name)
  // because the frame around the signed bytes is not signed: only one form of it is accepted, so that no bit is free
  if (!equalBytes(encodeEnvelope(frame), bytes))
    throw new EnvelopeError(
      'MESSAGE_MALFORMED',
      'the frame around header, payload and signature is not canonical'
    )

  let peerId: string | undefined
  let id: Uint8Array | undefined
  return {
    type: row.name,
    author,
    get authorPeerId() {
      peerId ??= peerIdFromPublicKey(author)
      return peerId
    },
    timestampMs,
    nonce,
    audience: broadcast ? undefined : audience,
    payload,
    get id() {
      id ??= new Uint8Array(createHash('sha256').update(header).update(payload).digest())
      return id
    },
    verifySignature() {
      if (!isStrongKey(author)) throw new EnvelopeError('KEY_WEAK', 'the author is not a safe Ed25519 key')
      if (!verifyStrict(author, concat(ENVELOPE_TAG, header, payload), signature))
        throw new EnvelopeError(
          'SIGNATURE_INVALID',
          'the signature does not belong to this author and message'
        )
    },
    decodePayload<T>(root: Root<T>): T {
      if (!row.payloads.some(({ identifier }) => identifier === root.identifier))
        throw new EnvelopeError('WRONG_TYPE', `a message of type ${row.name} does not carry a ${root.name}`)
      return decode(root, payload)
    }
  }
}

/** What the header alone decides. @param header Uint8Array(136), of which the result has views */
function checkHeader(
  header: Uint8Array,
  options: OpenEnvelopeOptions
): ReturnType<typeof decodeHeader> & { readonly broadcast: boolean } {
  const decoded = decodeHeader(header)
  const { row, networkId, timestampMs, audience } = decoded
  if (!equalBytes(networkId, options.networkId))
    throw new EnvelopeError('WRONG_NETWORK', 'the message belongs to another network', {
      hint: 'compare network name and network key of both machines'
    })
  checkClock(timestampMs, options.nowMs)
  const broadcast = row.broadcastAllowed && equalBytes(audience, NO_AUDIENCE)
  if (!broadcast && !equalBytes(audience, options.audience))
    throw new EnvelopeError('WRONG_AUDIENCE', 'the message is for somebody else')
  return { ...decoded, broadcast }
}

function assertLength(name: string, bytes: Uint8Array, expected: number): void {
  if (bytes.byteLength !== expected)
    throw new EnvelopeError(
      'MESSAGE_MALFORMED',
      `${name} has ${bytes.byteLength} bytes, expected ${expected}`
    )
}

function wrongPayload(type: MessageTypeName): EnvelopeError {
  const expected = MESSAGE_TYPES[type].payloads.map(({ name }) => name).join(' or ') || 'nothing yet'
  return new EnvelopeError('WRONG_TYPE', `a message of type ${type} carries ${expected}, not this payload`)
}

function tooLarge(got: number): EnvelopeError {
  return new EnvelopeError(
    'MESSAGE_TOO_LARGE',
    `the message has ${got} bytes, at most ${MAX_ENVELOPE_BYTES} are allowed`,
    {
      details: { expected: MAX_ENVELOPE_BYTES, got }
    }
  )
}
