import { createHash } from 'node:crypto'
import { concat, equalBytes, utf8 } from '../common/index.ts'
import {
  AUDIT_HEAD,
  BID,
  encodeSignedObject,
  GRANT,
  NODE_STATEMENT,
  PROVEN_DONE,
  PROVIDER_STATEMENT,
  RECORD,
  REVOCATION,
  type Root,
  SIGNED_OBJECT,
  type SignedKind
} from '../generated/fbs/index.ts'
import type { SigningKey } from '../identity/index.ts'
import { MAX_SIGNED_OBJECT_BYTES, NETWORK_ID_BYTES } from './constants.ts'
import { EnvelopeError } from './errors.ts'
import { isStrongKey, verifyStrict } from './strict-ed25519.ts'
import { decode, hasIdentifier, verify } from './verifier.ts'

export type SignedObjectKind = Exclude<SignedKind, 'none'>

const BODIES: Readonly<Record<SignedObjectKind, Root<unknown>>> = {
  record: RECORD,
  grant: GRANT,
  node: NODE_STATEMENT,
  provider: PROVIDER_STATEMENT,
  revocation: REVOCATION,
  auditHead: AUDIT_HEAD,
  bid: BID,
  done: PROVEN_DONE
}

export interface OpenedObject {
  /** Uint8Array(32), who signed. */
  readonly author: Uint8Array
  /** A FlatBuffer of the kind's root, not verified yet: `decode(RECORD, body)`. */
  readonly body: Uint8Array
  /** sha256 of tag, network ID, author and body, Uint8Array(32): the same whatever the signature's encoding. */
  readonly digest: Uint8Array
}

/**
 * A signed statement that outlives the envelope that carries it.
 * @param init.body a FlatBuffer of the kind's root
 * @throws EnvelopeError WRONG_TYPE, MESSAGE_MALFORMED, MESSAGE_TOO_LARGE
 */
export function signObject(init: {
  readonly kind: SignedObjectKind
  readonly body: Uint8Array
  readonly key: SigningKey
  readonly networkId: Uint8Array
}): Uint8Array {
  const { kind, body, key, networkId } = init
  assertBody(kind, body)
  verify(BODIES[kind], body)
  const signature = key.sign(signedBytes(kind, networkId, body))
  const bytes = encodeSignedObject({ kind, author: key.publicKey, body, signature })
  verify(SIGNED_OBJECT, bytes)
  return bytes
}

/**
 * Checks form, kind, key and signature.
 * @throws EnvelopeError MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, WRONG_TYPE, KEY_WEAK, SIGNATURE_INVALID (also when it was
 * signed for another network)
 */
export function openObject(
  bytes: Uint8Array,
  options: { readonly kind: SignedObjectKind; readonly networkId: Uint8Array }
): OpenedObject {
  const { kind, networkId } = options
  if (bytes.byteLength > MAX_SIGNED_OBJECT_BYTES)
    throw new EnvelopeError(
      'MESSAGE_TOO_LARGE',
      `a signed object has at most ${MAX_SIGNED_OBJECT_BYTES} bytes`,
      {
        details: { expected: MAX_SIGNED_OBJECT_BYTES, got: bytes.byteLength }
      }
    )
  const object = decode(SIGNED_OBJECT, bytes)
  const { author, body, signature } = object
  if (object.kind !== kind)
    throw new EnvelopeError('WRONG_TYPE', `this is a signed object of kind ${object.kind}, expected ${kind}`)
  assertBody(kind, body)
  // because the frame around the signed bytes is not signed: only one form of it is accepted, so that no bit is free
  if (!equalBytes(encodeSignedObject(object), bytes))
    throw new EnvelopeError('MESSAGE_MALFORMED', 'the frame of this signed object is not canonical')
  if (!isStrongKey(author)) throw new EnvelopeError('KEY_WEAK', 'the author is not a safe Ed25519 key')
  if (!verifyStrict(author, signedBytes(kind, networkId, body), signature))
    throw new EnvelopeError(
      'SIGNATURE_INVALID',
      `the signature of this ${kind} does not belong to its author`
    )
  const digest = createHash('sha256').update(tag(kind)).update(networkId).update(author).update(body).digest()
  return { author, body, digest: new Uint8Array(digest) }
}

function signedBytes(kind: SignedObjectKind, networkId: Uint8Array, body: Uint8Array): Uint8Array {
  if (networkId.byteLength !== NETWORK_ID_BYTES)
    throw new EnvelopeError(
      'MESSAGE_MALFORMED',
      `networkId has ${networkId.byteLength} bytes, expected ${NETWORK_ID_BYTES}`
    )
  return concat(tag(kind), networkId, body)
}

function tag(kind: SignedObjectKind): Uint8Array {
  return utf8(`beemesh.v1/${kind}\0`)
}

function assertBody(kind: SignedObjectKind, body: Uint8Array): void {
  if (!hasIdentifier(body, BODIES[kind]))
    throw new EnvelopeError('WRONG_TYPE', `the body of a ${kind} is a ${BODIES[kind].name}, not this`)
}
