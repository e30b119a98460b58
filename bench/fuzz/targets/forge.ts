/** What somebody makes who holds a good key and keeps to no rule: our own signing refuses to sign what is malformed. */
import canonicalize from 'canonicalize'
import { concat, utf8 } from '../../../src/common/index.ts'
import { ENVELOPE_TAG } from '../../../src/envelope/constants.ts'
import { encodeHeader } from '../../../src/envelope/header.ts'
import { hasIdentifier, MESSAGE_TYPES, type MessageTypeName } from '../../../src/envelope/index.ts'
import { encodeEnvelope, encodeSignedObject, type SignedKind } from '../../../src/generated/fbs/index.ts'
import type { SigningKey } from '../../../src/identity/index.ts'
import { AUDIENCE, bytesOf, NETWORK, NOW_MS, OWNER } from '../../../test/envelope/fixtures.ts'

export const NONCE = bytesOf('nonce', 16)

/** An envelope around any payload, with a good signature. */
export function forgeEnvelope(
  type: MessageTypeName,
  payload: Uint8Array,
  { key = OWNER, audience = AUDIENCE, nonce = NONCE }: ForgeInit = {}
): Uint8Array {
  const header = encodeHeader({
    type: MESSAGE_TYPES[type].type,
    author: key.publicKey,
    networkId: NETWORK.id,
    timestampMs: NOW_MS,
    nonce,
    audience,
    payloadBytes: payload.byteLength
  })
  return encodeEnvelope({ header, payload, signature: key.sign(concat(ENVELOPE_TAG, header, payload)) })
}

export interface ForgeInit {
  readonly key?: SigningKey
  readonly audience?: Uint8Array
  readonly nonce?: Uint8Array
}

/** The message type whose payload these bytes claim to be; `status` where they claim nothing. */
export function typeOf(payload: Uint8Array): MessageTypeName {
  const row = Object.values(MESSAGE_TYPES).find(({ payloads }) =>
    payloads.some((root) => hasIdentifier(payload, root))
  )
  return row?.name ?? 'status'
}

/** A signed object around any body, with a good signature. */
export function forgeObject(
  kind: Exclude<SignedKind, 'none'>,
  body: Uint8Array,
  key: SigningKey
): Uint8Array {
  const signature = key.sign(concat(utf8(`beemesh.v1/${kind}\0`), NETWORK.id, body))
  return encodeSignedObject({ kind, author: key.publicKey, body, signature })
}

/** JSON in the one order that its reader takes, so that only what it says is wrong. */
export function canonicalText(bytes: Uint8Array): string {
  return canonicalize(JSON.parse(new TextDecoder().decode(bytes))) ?? ''
}
