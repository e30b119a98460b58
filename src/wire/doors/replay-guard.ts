import { toHex } from '../../common/index.ts'
import { type OpenedEnvelope, ReplayWindow } from '../../envelope/index.ts'
import type { Collection } from '../../store/index.ts'
import { WireError } from '../errors.ts'

/** Remembers state-changing requests, on disk too, so that none can be played again after a restart. */
export class ReplayGuard {
  readonly #window = new ReplayWindow()
  readonly #stored: Collection<number>
  readonly #now: () => number

  /** @param stored key: author and nonce in hex, value: the envelope's timestamp, ms since epoch */
  constructor(stored: Collection<number>, now: () => number = Date.now) {
    this.#stored = stored
    this.#now = now
  }

  /** Reads what was seen before the restart and forgets what the clock window refuses anyway. */
  async open(): Promise<void> {
    const nowMs = this.#now()
    for await (const [key, timestampMs] of this.#stored.entries()) {
      if (nowMs - timestampMs > RETENTION_MS) await this.#stored.delete(key)
      else this.#window.restore([parseKey(key, timestampMs)], nowMs)
    }
  }

  /**
   * Durable when it resolves. @throws WireError REPLAYED when this envelope was accepted before, TOO_MANY_REQUESTS when the
   * author's table is full: it never forgets inside the window, because forgetting would let old envelopes in again.
   */
  async insert({ author, nonce, timestampMs }: OpenedEnvelope): Promise<void> {
    const verdict = this.#window.insert(author, nonce, timestampMs, this.#now())
    if (verdict === 'replayed')
      throw new WireError('REPLAYED', 'this request was accepted before; a request is good for one use', {
        hint: 'Sign a new one: run the command again.'
      })
    if (verdict === 'full')
      throw new WireError('TOO_MANY_REQUESTS', 'this owner has sent too many requests within five minutes', {
        retryable: true
      })
    await this.#stored.put(`${toHex(author)}-${toHex(nonce)}`, timestampMs)
  }
}

/** Twice the clock window of envelopes (330 s), so that an entry never leaves before its envelope is stale. */
const RETENTION_MS = 660_000

function parseKey(key: string, timestampMs: number) {
  const [author = '', nonce = ''] = key.split('-')
  return {
    author: new Uint8Array(Buffer.from(author, 'hex')),
    nonce: new Uint8Array(Buffer.from(nonce, 'hex')),
    timestampMs
  }
}
