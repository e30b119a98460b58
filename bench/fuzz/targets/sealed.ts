/** What was sealed by somebody who may be hostile: an owner's content, a node's answers, an asker's input. */
import { createHash } from 'node:crypto'
import { concat, utf8 } from '../../../src/common/index.ts'
import { decode, ERROR_REPLY, RECORD, REPLY } from '../../../src/envelope/index.ts'
import {
  encodeErrorReply,
  encodeQuery,
  encodeRecord,
  encodeReply,
  encodeStatusReply
} from '../../../src/generated/fbs/index.ts'
import { audienceOf, deriveSecret } from '../../../src/identity/index.ts'
import { canonicalBytes, manifestId, manifestSalt, parseManifests } from '../../../src/manifest/index.ts'
import {
  createReplyKeyPair,
  createReplyOpener,
  createReplySealer,
  encryptManifest,
  sealContentKey,
  sealingKeyFromSeed
} from '../../../src/sealing/index.ts'
import { createRequest, OWNER_PROTOCOLS, type SignedRequest } from '../../../src/wire/index.ts'
import { openContent } from '../../../src/workloads/open-record.ts'
import { bytesOf, NETWORK, NODE, NOW_MS, OWNER, RECORD_FIELDS } from '../../../test/envelope/fixtures.ts'
import { pod, toYaml } from '../../../test/fixtures/workload-files.ts'
import type { Target } from '../types.ts'
import { canonicalText, forgeEnvelope } from './forge.ts'

const KIB = 1024
const networkId = NETWORK.id

export async function sealedTargets(): Promise<Target[]> {
  return [...(await contentTargets()), ...(await replyTargets())]
}

/** An owner encrypts and seals what it likes, and promises what it likes in the record. */
async function contentTargets(): Promise<Target[]> {
  const [manifest] = parseManifests(toYaml(pod({ name: 'web' })))
  const salt = manifestSalt(deriveSecret(OWNER, 'manifest-salt'), manifest!)
  const id = manifestId({ networkId, owner: OWNER.publicKey, salt, ...manifest! })
  const about = { networkId, owner: OWNER.publicKey, manifestId: id, version: 7 }
  const sealingKey = await sealingKeyFromSeed(bytesOf('sealing seed', 32), { epoch: 1 })
  const node = NODE.publicKey
  const plaintext = canonicalBytes(manifest!, salt)
  const key = bytesOf('content key', 32)
  const encrypt = (bytes: Uint8Array) =>
    encryptManifest({ ...about, plaintext: bytes, key: Uint8Array.from(key) })
  const good = encrypt(plaintext)
  const wrapped = await sealContentKey({
    ...about,
    key,
    commitment: good.commitment,
    recipient: node,
    sealingPublicKey: sealingKey.publicKey
  })
  const { replicas, resources } = manifest!
  const recordOf = (digest: Uint8Array, plaintextBytes: number) =>
    decode(
      RECORD,
      encodeRecord({
        ...RECORD_FIELDS,
        ...resources,
        manifestId: id,
        replicas,
        plaintextBytes,
        ciphertextDigest: digest,
        keyCommitment: good.commitment
      })
    )
  const open = (ciphertext: Uint8Array, digest: Uint8Array, plaintextBytes: number, sealed = wrapped) => {
    const sealedKey = { recipient: node, sealingEpoch: 1, ...sealed }
    const record = recordOf(digest, plaintextBytes)
    return openContent(
      record,
      { ciphertext, sealedKey },
      { owner: OWNER.publicKey, networkId, node, sealingKey }
    )
  }
  const split = (bytes: Uint8Array) => ({ enc: bytes.subarray(0, 1120), ciphertext: bytes.subarray(1120) })
  return [
    {
      name: 'content-plaintext',
      form: 'json',
      maxBytes: 16 * KIB,
      share: 2,
      seeds: [plaintext],
      feed: (bytes) => {
        const document = utf8(canonicalText(bytes))
        const { ciphertext, digest } = encrypt(document)
        return open(ciphertext, digest, document.byteLength)
      }
    },
    {
      name: 'content-ciphertext',
      form: 'bytes',
      maxBytes: 80 * KIB,
      share: 1,
      seeds: [good.ciphertext],
      feed: (bytes) => open(bytes, sha256(bytes), plaintext.byteLength)
    },
    {
      name: 'content-sealed-key',
      form: 'bytes',
      maxBytes: 2 * KIB,
      share: 1,
      seeds: [concat(wrapped.enc, wrapped.ciphertext)],
      feed: (bytes) => open(good.ciphertext, good.digest, plaintext.byteLength, split(bytes))
    }
  ]
}

/** A node answers its asker with what it likes; an asker says what it likes while it is answered. */
async function replyTargets(): Promise<Target[]> {
  const to = audienceOf(OWNER.publicKey)
  const nonceAt = 80
  const newRequest = async () => {
    const request = await createRequest({
      protocol: OWNER_PROTOCOLS.status,
      key: OWNER,
      networkId,
      target: NODE.publicKey,
      encode: (replyKey) => encodeQuery({ replyKey }),
      now: () => NOW_MS
    })
    const header = request.envelope.subarray(request.envelope.byteLength - 136)
    return { request, nonce: header.slice(nonceAt, nonceAt + 16) }
  }
  let asked = await newRequest()
  const read = async (
    { request, nonce }: { request: SignedRequest; nonce: Uint8Array },
    payload: Uint8Array
  ) => {
    const frame = forgeEnvelope('reply', payload, { key: NODE, audience: to, nonce })
    return collect(request, frame)
  }
  const error = encodeErrorReply({
    code: 'BUSY',
    message: 'läuft über',
    details: '{"author":"12D3KooW","list":[1,{"a":null}]}',
    hint: 'try again',
    retryable: true
  })
  const clear = encodeReply({ sequence: 0, last: true, sealed: false, body: error })
  const full = encodeReply({
    sequence: 0,
    last: true,
    sealed: true,
    enc: bytesOf('enc', 1120),
    wrappedKey: bytesOf('wrapped', 48),
    body: bytesOf('body', 100)
  })
  const { keys, context, sealer, wrapped } = await session()
  const opener = await createReplyOpener(keys, { ...context, ...wrapped })
  let next = 0
  const inputs = [opener.sealInput(0, bytesOf('input', 40)), opener.sealInput(1, new Uint8Array())]
  return [
    {
      name: 'reply-frame',
      form: 'flatbuffer',
      maxBytes: 4 * KIB,
      seeds: [clear, full].map((payload) =>
        forgeEnvelope('reply', payload, { key: NODE, audience: to, nonce: asked.nonce })
      ),
      feed: (frame) => collect(asked.request, frame)
    },
    {
      name: 'reply-well-signed',
      form: 'flatbuffer',
      maxBytes: 4 * KIB,
      share: 1,
      seeds: [clear, full],
      feed: async (payload) => {
        const value = decode(REPLY, payload)
        // because a sealed first frame uses up the request's key
        if (value.sealed && value.sequence === 0) asked = await newRequest()
        return read(asked, payload)
      }
    },
    {
      name: 'reply-error-in-clear',
      form: 'flatbuffer',
      maxBytes: 8 * KIB,
      seeds: [error, encodeStatusReply({ nodeName: 'kestrel' })],
      feed: (body) => read(asked, encodeReply({ sequence: 0, last: true, sealed: false, body }))
    },
    {
      name: 'reply-error-details',
      form: 'text',
      maxBytes: 7 * KIB,
      seeds: [decode(ERROR_REPLY, error).details!, '{"__proto__":{"a":1}}', '[1]'].map((text) =>
        new TextEncoder().encode(text)
      ),
      feed: (bytes) => {
        const details = new TextDecoder().decode(bytes).replaceAll('\0', '')
        const body = encodeErrorReply({ code: 'BUSY', message: details.slice(0, 2000), details })
        return read(asked, encodeReply({ sequence: 0, last: true, sealed: false, body }))
      }
    },
    {
      name: 'exec-input',
      form: 'bytes',
      maxBytes: 4 * KIB,
      seeds: inputs,
      // each number is good for one frame, whether or not it opens
      feed: (bytes) => sealer.openInput(next++, bytes)
    }
  ]
}

async function session() {
  const keys = await createReplyKeyPair()
  const context = { networkId, requestId: bytesOf('request', 32), responder: NODE.publicKey }
  const sealer = await createReplySealer(keys.publicKey, context)
  return { keys, context, sealer, wrapped: { enc: sealer.enc, wrappedKey: sealer.wrappedKey } }
}

/** What the asker makes of one frame; the end of the stream after it is no news. */
async function collect(request: SignedRequest, frame: Uint8Array): Promise<unknown> {
  async function* frames() {
    yield frame
  }
  const bodies: Uint8Array[] = []
  for await (const body of request.answers(frames())) bodies.push(body)
  return bodies
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}
