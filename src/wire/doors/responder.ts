import { type Abortable, isBeemeshError, safeText, toError } from '../../common/index.ts'
import { type OpenedEnvelope, signEnvelope } from '../../envelope/index.ts'
import { encodeErrorReply, encodeReply } from '../../generated/fbs/index.ts'
import { audienceOf, type SigningKey } from '../../identity/index.ts'
import { createReplySealer, type ReplySealer } from '../../sealing/index.ts'
import type { CreditedWriter } from '../channel/credit.ts'
import { WireError } from '../errors.ts'

/** A body must leave room for the envelope around it. Source: fbs/reply.fbs, 229,376 less the tag of the sealing. */
const MAX_BODY_BYTES = 229_376 - 16

export interface ResponderInit {
  readonly key: SigningKey
  readonly networkId: Uint8Array
  readonly writer: CreditedWriter
  readonly now: () => number
  /** Whom the answer is for; undefined when not even the request's header could be read. */
  readonly request: { readonly author: Uint8Array; readonly nonce: Uint8Array } | undefined
}

/** Answers one request: every frame is signed by this node, numbered, and sealed to the asker once it is known. */
export class Responder {
  readonly #init: ResponderInit
  #sealer: ReplySealer | undefined
  #sequence = 0
  #ended = false
  #tail: Promise<unknown> = Promise.resolve()

  constructor(init: ResponderInit) {
    this.#init = init
  }

  /** From here on answers are sealed. @param replyKey Uint8Array(1216), from the request's payload @throws SealingError */
  async sealTo(replyKey: Uint8Array, { id }: OpenedEnvelope): Promise<void> {
    const { networkId, key } = this.#init
    this.#sealer = await createReplySealer(replyKey, { networkId, requestId: id, responder: key.publicKey })
  }

  /** What the asker says while it is answered, opened. Ends when it is gone. @throws SealingError */
  async *inputs(): AsyncGenerator<Uint8Array> {
    let sequence = 0
    for await (const frame of this.#init.writer.inputs()) {
      if (this.#sealer === undefined) return
      yield this.#sealer.openInput(sequence++, frame)
    }
  }

  /** Fires when the asker went away. */
  get gone(): AbortSignal {
    return this.#init.writer.gone
  }

  get ended(): boolean {
    return this.#ended
  }

  /** One frame, after those before it. @param body a FlatBuffer with its file identifier */
  send(body: Uint8Array, options: { last?: boolean } & Abortable = {}): Promise<void> {
    const sent = this.#tail.then(() => this.#sendNow(body, options))
    this.#tail = sent.catch(() => {}) // because whoever sends the next frame hears of it there
    return sent
  }

  async #sendNow(body: Uint8Array, { last = false, signal }: { last?: boolean } & Abortable): Promise<void> {
    if (this.#ended) return
    if (body.byteLength > MAX_BODY_BYTES)
      throw new WireError(
        'FRAME_TOO_LARGE',
        `an answer of ${body.byteLength} bytes; a frame takes ${MAX_BODY_BYTES}`
      )
    if (last) this.#ended = true
    const sequence = this.#sequence++
    const first = sequence === 0
    const payload = encodeReply({
      sequence,
      last,
      sealed: this.#sealer !== undefined,
      enc: first ? this.#sealer?.enc : undefined,
      wrappedKey: first ? this.#sealer?.wrappedKey : undefined,
      body: this.#sealer?.seal(sequence, last, body) ?? body
    })
    await this.#init.writer.write(this.#sign(payload), { signal })
  }

  /** Ends the answer with an error. Only errors of ours show their words; others are an INTERNAL without detail. */
  async fail(thrown: unknown): Promise<void> {
    if (this.#ended) return
    const error = toError(thrown)
    const ours = isBeemeshError(error)
    const late = error.name === 'TimeoutError'
    const body = encodeErrorReply({
      code: ours ? error.code : late ? 'TIMED_OUT' : 'INTERNAL',
      message: safeText(
        ours
          ? error.message
          : late
            ? 'the node did not finish in time'
            : 'the node failed to answer; its log says why',
        4000
      ),
      details: ours ? boundedJson(error.details) : undefined,
      hint: ours && error.hint !== undefined ? safeText(error.hint, 1000) : undefined,
      retryable: ours && error.retryable
    })
    await this.send(body, { last: true })
  }

  #sign(payload: Uint8Array): Uint8Array {
    const { request, key, networkId, now } = this.#init
    return signEnvelope({
      type: 'reply',
      payload,
      key,
      networkId,
      audience: request === undefined ? undefined : audienceOf(request.author),
      nowMs: now(),
      nonce: request?.nonce
    })
  }
}

function boundedJson(details: Readonly<Record<string, unknown>>): string | undefined {
  if (Object.keys(details).length === 0) return undefined
  const text = JSON.stringify(details)
  return Buffer.byteLength(text) > 8000 ? undefined : text
}
