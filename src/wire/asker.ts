import { randomBytes } from 'node:crypto'
import { type BeemeshErrorOptions, equalBytes, safeText } from '../common/index.ts'
import { decode, hasIdentifier, openEnvelope, signEnvelope } from '../envelope/index.ts'
import { ERROR_REPLY, REPLY } from '../generated/fbs/index.ts'
import { audienceOf, peerIdFromPublicKey, type SigningKey } from '../identity/index.ts'
import { createReplyKeyPair, createReplyOpener, type ReplyOpener } from '../sealing/index.ts'
import { RemoteError, WireError } from './errors.ts'
import type { Protocol } from './protocols.ts'

/** Ours nest three deep. Chosen. */
const MAX_DETAILS_DEPTH = 8

export interface RequestInit {
  readonly protocol: Protocol
  readonly key: SigningKey
  readonly networkId: Uint8Array
  /** Uint8Array(32): who shall answer. */
  readonly target: Uint8Array
  /** Uint8Array(32): who may refuse to pass the request on; undefined when the target is asked directly. */
  readonly entry?: Uint8Array
  /** The payload, given the key (Uint8Array(1216)) that answers are to be sealed to. */
  readonly encode: (replyKey: Uint8Array) => Uint8Array
  readonly now?: () => number
}

/** A signed request and the way to read its answer. */
export interface SignedRequest {
  readonly envelope: Uint8Array
  /**
   * Bodies of the answer, each checked: signed by the target, for this request, in order, sealed to us.
   * @throws RemoteError what the node refused or failed with; WireError REPLY_INVALID, CONNECTION_LOST
   */
  answers(frames: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>
  /** Seals what we say while we are answered; only after the first answer has come. @throws WireError REPLY_INVALID before */
  sealInput(body: Uint8Array): Uint8Array
}

/** Signs a request. One use: an answer belongs to one envelope. */
export async function createRequest(init: RequestInit): Promise<SignedRequest> {
  const { protocol, key, networkId, target, entry, now = Date.now } = init
  const replyKeys = await createReplyKeyPair()
  const nonce = new Uint8Array(randomBytes(16))
  const audience = audienceOf(target)
  const self = audienceOf(key.publicKey)
  const payload = init.encode(replyKeys.publicKey)
  const envelope = signEnvelope({
    type: protocol.request,
    payload,
    key,
    networkId,
    audience,
    nowMs: now(),
    nonce
  })
  const requestId = openEnvelope(envelope, { networkId, nowMs: now(), audience }).id

  let opener: ReplyOpener | undefined
  let inputs = 0
  const sealInput = (body: Uint8Array): Uint8Array => {
    if (opener === undefined) throw invalid('the node has not answered yet', target)
    return opener.sealInput(inputs++, body)
  }

  async function* answers(frames: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let expected = 0
    for await (const frame of frames) {
      const reply = openEnvelope(frame, { networkId, nowMs: now(), audience: self })
      const fromTarget = equalBytes(reply.author, target)
      const fromEntry = entry !== undefined && equalBytes(reply.author, entry)
      if (reply.type !== 'reply' || !equalBytes(reply.nonce, nonce) || !(fromTarget || fromEntry))
        throw invalid('the answer is not from the node that was asked', target)
      reply.verifySignature()
      const { sequence, last, sealed, enc, wrappedKey, body = new Uint8Array() } = reply.decodePayload(REPLY)
      if (!sealed) {
        if (hasIdentifier(body, ERROR_REPLY)) throw remoteError(body)
        throw invalid('the answer is not sealed', target)
      }
      if (!fromTarget || sequence !== expected++) throw invalid('the answer has a gap', target)
      if (sequence === 0) {
        if (enc === undefined || wrappedKey === undefined) throw invalid('the answer has no key', target)
        opener = await createReplyOpener(replyKeys, {
          enc,
          wrappedKey,
          networkId,
          requestId,
          responder: target
        })
      }
      const opened = opener!.open(sequence, last, body)
      if (hasIdentifier(opened, ERROR_REPLY)) throw remoteError(opened)
      yield opened
      if (last) return
    }
    throw new WireError('CONNECTION_LOST', 'the connection ended before the answer was complete', {
      retryable: true,
      details: { node: peerIdFromPublicKey(target) },
      hint: 'What was asked may or may not have been done: check with "beemesh get workloads".'
    })
  }
  return { envelope, answers, sealInput }
}

function invalid(reason: string, target: Uint8Array): WireError {
  return new WireError('REPLY_INVALID', reason, { details: { node: peerIdFromPublicKey(target) } })
}

function remoteError(body: Uint8Array): RemoteError {
  const { code, message, details, hint, retryable } = decode(ERROR_REPLY, body)
  const options: BeemeshErrorOptions = {
    details: parseDetails(details),
    hint: hint === undefined ? undefined : safeText(hint, 1000),
    retryable
  }
  const known = safeText(code, 64).replace(/[^A-Z0-9_]/g, '')
  // because people and programs go by the code, a node cannot leave it out
  return new RemoteError(/^[A-Z]./.test(known) ? known : 'REPLY_INVALID', safeText(message), options)
}

function parseDetails(json: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json ?? '{}')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...safeTree(value) } : {}
  } catch {
    return {} // because a peer wrote it; the code and the message are what counts
  }
}

/** The same without what could fool a terminal: details are shown, too. @param depth a peer's JSON may nest without end */
function safeTree<T>(value: T, depth = 0): T {
  if (typeof value === 'string') return safeText(value) as T
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DETAILS_DEPTH) return '…' as T
  if (Array.isArray(value)) return value.map((item) => safeTree(item, depth + 1)) as T
  const entries = Object.entries(value).map(([key, child]) => [
    safeText(key, 256),
    safeTree(child, depth + 1)
  ])
  return Object.fromEntries(entries) as T
}
