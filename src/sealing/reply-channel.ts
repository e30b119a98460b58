import { randomBytes } from 'node:crypto'
import { concat, utf8 } from '../common/index.ts'
import { SealingError } from './errors.ts'
import { GCM_KEY_BYTES, GCM_NONCE_BYTES, gcmDecrypt, gcmEncrypt } from './gcm.ts'
import { openWith, sealTo } from './hpke.ts'
import { destroySealingKey, generateSealingKey, type SealingKey } from './sealing-key.ts'

const KEY_TAG = utf8('beemesh.v1/reply-key\0')
const FRAME_TAG = utf8('beemesh.v1/reply\0')
const INPUT_TAG = utf8('beemesh.v1/input\0')
/** The sequence is 32 bits on the wire. */
const MAX_SEQUENCE = 0xffffffff

/** What an answer belongs to. Both sides must agree on all of it. */
export interface ReplyContext {
  /** Uint8Array(32) */
  readonly networkId: Uint8Array
  /** Uint8Array(32): the `id` of the request's envelope. */
  readonly requestId: Uint8Array
  /** Uint8Array(32): public key of the node that answers. */
  readonly responder: Uint8Array
}

/** The answering side. */
export interface ReplySealer {
  /** Uint8Array(1120), for frame 0. */
  readonly enc: Uint8Array
  /** Uint8Array(48), for frame 0. */
  readonly wrappedKey: Uint8Array
  /**
   * One frame's body, 16 bytes longer.
   * @param sequence 0, 1, 2, …: each once, in order, because it is the nonce. Nothing after `last`.
   * @throws SealingError REPLY_OUT_OF_ORDER
   */
  seal(sequence: number, last: boolean, plaintext: Uint8Array): Uint8Array
  /** Opens what the asker says meanwhile. @throws SealingError REPLY_OUT_OF_ORDER, REPLY_INVALID_FRAME */
  openInput(sequence: number, bytes: Uint8Array): Uint8Array
}

/** The asking side. */
export interface ReplyOpener {
  /** Seals what the asker says while it is being answered. @param sequence 0, 1, 2, …: each once, because it is the nonce */
  sealInput(sequence: number, plaintext: Uint8Array): Uint8Array
  /** @throws SealingError REPLY_OUT_OF_ORDER, REPLY_INVALID_FRAME */
  open(sequence: number, last: boolean, body: Uint8Array): Uint8Array
}

/** A key for the answers to one request; its public half is the request's `replyKey`. */
export function createReplyKeyPair(): Promise<SealingKey> {
  return generateSealingKey({ epoch: 0 })
}

/** @param replyKey Uint8Array(1216), from the request @throws SealingError SEALING_KEY_INVALID */
export async function createReplySealer(replyKey: Uint8Array, context: ReplyContext): Promise<ReplySealer> {
  const key = new Uint8Array(randomBytes(GCM_KEY_BYTES))
  const { enc, ciphertext } = await sealTo(replyKey, { ...binding(context), plaintext: key })
  const order = frameOrder()
  return {
    enc,
    wrappedKey: ciphertext,
    seal: frameSealer(key, context.requestId),
    openInput(sequence, bytes) {
      order(sequence, false)
      const opened = gcmDecrypt(inputKey(key, context.requestId, sequence), bytes)
      if (opened !== undefined) return opened
      throw new SealingError('REPLY_INVALID_FRAME', `input ${sequence} was not sealed by the asker`)
    }
  }
}

/** @internal The sealing of frames with a key that is known: what the golden vectors pin down. */
export function frameSealer(key: Uint8Array, requestId: Uint8Array): ReplySealer['seal'] {
  const order = frameOrder()
  return (sequence, last, plaintext) => {
    order(sequence, last)
    return gcmEncrypt(
      { key, nonce: frameNonce(sequence), aad: frameAad(requestId, sequence, last) },
      plaintext
    )
  }
}

/**
 * @param keys as made by {@link createReplyKeyPair}; used up: the secret is destroyed
 * @throws SealingError OPEN_FAILED when the answer is not for this request, from this node
 */
export async function createReplyOpener(
  keys: SealingKey,
  answer: ReplyContext & { readonly enc: Uint8Array; readonly wrappedKey: Uint8Array }
): Promise<ReplyOpener> {
  const { enc, wrappedKey, requestId } = answer
  const key = await openWith(keys, { ...binding(answer), enc, ciphertext: wrappedKey })
  destroySealingKey(keys)
  if (key.byteLength !== GCM_KEY_BYTES)
    throw new SealingError('OPEN_FAILED', 'the key of this answer has a wrong size')
  const order = frameOrder()
  return {
    open(sequence, last, body) {
      order(sequence, last)
      const opened = gcmDecrypt(
        { key, nonce: frameNonce(sequence), aad: frameAad(requestId, sequence, last) },
        body
      )
      if (opened === undefined)
        throw new SealingError(
          'REPLY_INVALID_FRAME',
          `frame ${sequence} of the answer was not sealed by the node that answers`
        )
      return opened
    },
    sealInput: (sequence, plaintext) => gcmEncrypt(inputKey(key, requestId, sequence), plaintext)
  }
}

/** Input shares the answer's key; a nonce that begins with 80 and a tag of its own keep the two directions apart. */
function inputKey(key: Uint8Array, requestId: Uint8Array, sequence: number) {
  const nonce = frameNonce(sequence)
  nonce[0] = 0x80
  const tail = new Uint8Array(4)
  new DataView(tail.buffer).setUint32(0, sequence)
  return { key, nonce, aad: concat(INPUT_TAG, requestId, tail) }
}

function binding({ networkId, requestId, responder }: ReplyContext): { info: Uint8Array; aad: Uint8Array } {
  return { info: concat(KEY_TAG, networkId, responder), aad: requestId }
}

/** Lets each sequence number pass once, in order, and nothing after the last. */
function frameOrder(): (sequence: number, last: boolean) => void {
  let next = 0
  return (sequence, last) => {
    if (sequence !== next || sequence > MAX_SEQUENCE)
      throw new SealingError('REPLY_OUT_OF_ORDER', `expected frame ${next} of the answer, got ${sequence}`)
    next = last ? Number.POSITIVE_INFINITY : sequence + 1
  }
}

function frameNonce(sequence: number): Uint8Array {
  const nonce = new Uint8Array(GCM_NONCE_BYTES)
  new DataView(nonce.buffer).setUint32(GCM_NONCE_BYTES - 4, sequence)
  return nonce
}

function frameAad(requestId: Uint8Array, sequence: number, last: boolean): Uint8Array {
  const tail = new Uint8Array(5)
  new DataView(tail.buffer).setUint32(0, sequence)
  tail[4] = last ? 1 : 0
  return concat(FRAME_TAG, requestId, tail)
}
