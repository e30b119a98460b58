import { toHex } from '../common/index.ts'
import { MAX_AGE_MS, MAX_FUTURE_MS } from './constants.ts'

/** Nonces of one author inside the window. Source: crypto.md section 6. */
export const DEFAULT_MAX_PER_AUTHOR = 4096
/** Nonces of all authors. Source: crypto.md section 6. */
export const DEFAULT_MAX_TOTAL = 65_536
/** How finely old entries are dropped, ms. Smaller: less memory held past the window, more buckets. Chosen, no evidence yet. */
const BUCKET_MS = 30_000

export type ReplayVerdict = 'fresh' | 'replayed' | 'full'

export interface ReplayEntry {
  /** Uint8Array(32) */
  readonly author: Uint8Array
  /** Uint8Array(16) */
  readonly nonce: Uint8Array
  /** The envelope's own, ms since epoch. */
  readonly timestampMs: number
}

export interface ReplayWindowOptions {
  /** @default {@link DEFAULT_MAX_PER_AUTHOR} */
  readonly maxPerAuthor?: number
  /** @default {@link DEFAULT_MAX_TOTAL} */
  readonly maxTotal?: number
}

/**
 * Remembers which envelopes were accepted for as long as the clock window would accept them again. It never evicts
 * inside the window, because forgetting lets an old envelope in again; a full table refuses new ones instead. Insert
 * after the signature and the authorisation, or strangers fill it.
 */
export class ReplayWindow {
  readonly #maxPerAuthor: number
  readonly #maxTotal: number
  /** Author in hex -> nonce in hex -> timestamp. */
  readonly #authors = new Map<string, Map<string, number>>()
  /** Timestamp / BUCKET_MS -> what expires with it. */
  readonly #buckets = new Map<number, Array<{ readonly author: string; readonly nonce: string }>>()
  #size = 0
  /** Timestamps below were forgotten, so nothing can be said of them. Guards against a clock that jumps back. */
  #floorMs = Number.NEGATIVE_INFINITY

  constructor(options: ReplayWindowOptions = {}) {
    this.#maxPerAuthor = options.maxPerAuthor ?? DEFAULT_MAX_PER_AUTHOR
    this.#maxTotal = options.maxTotal ?? DEFAULT_MAX_TOTAL
  }

  /** Entries held. */
  get size(): number {
    return this.#size
  }

  /**
   * 'replayed' also for a timestamp older than what is remembered; 'full' changes nothing.
   * @param timestampMs the envelope's, already inside the clock window
   */
  insert(author: Uint8Array, nonce: Uint8Array, timestampMs: number, nowMs: number): ReplayVerdict {
    this.#expire(nowMs)
    if (timestampMs < this.#floorMs) return 'replayed'
    const authorKey = toHex(author)
    const nonceKey = toHex(nonce)
    const seen = this.#authors.get(authorKey)
    if (seen?.has(nonceKey) === true) return 'replayed'
    if (this.#size >= this.#maxTotal || (seen?.size ?? 0) >= this.#maxPerAuthor) return 'full'
    this.#add(authorKey, nonceKey, timestampMs)
    return 'fresh'
  }

  /** What is remembered, oldest bucket first, to be written down. */
  *entries(): IterableIterator<ReplayEntry> {
    for (const bucket of [...this.#buckets.keys()].sort((a, b) => a - b)) {
      for (const { author, nonce } of this.#buckets.get(bucket) ?? []) {
        const timestampMs = this.#authors.get(author)?.get(nonce)
        if (timestampMs !== undefined) yield { author: fromHex(author), nonce: fromHex(nonce), timestampMs }
      }
    }
  }

  /** Puts back what {@link entries} gave, beyond the limits if need be; what is stale by `nowMs` is left out. */
  restore(entries: Iterable<ReplayEntry>, nowMs: number): void {
    this.#expire(nowMs)
    for (const { author, nonce, timestampMs } of entries) {
      const authorKey = toHex(author)
      const nonceKey = toHex(nonce)
      const known = this.#authors.get(authorKey)?.has(nonceKey) === true
      if (!known && timestampMs >= this.#floorMs && timestampMs >= nowMs - MAX_AGE_MS - MAX_FUTURE_MS)
        this.#add(authorKey, nonceKey, timestampMs)
    }
  }

  #add(author: string, nonce: string, timestampMs: number): void {
    const nonces = this.#authors.get(author) ?? new Map<string, number>()
    nonces.set(nonce, timestampMs)
    this.#authors.set(author, nonces)
    const bucketIndex = Math.floor(timestampMs / BUCKET_MS)
    const bucket = this.#buckets.get(bucketIndex)
    if (bucket === undefined) this.#buckets.set(bucketIndex, [{ author, nonce }])
    else bucket.push({ author, nonce })
    this.#size++
  }

  #expire(nowMs: number): void {
    // because a clock that is set back a little would make them acceptable again, keep 30 s more than the window
    const keepFrom = nowMs - MAX_AGE_MS - MAX_FUTURE_MS
    for (const [index, bucket] of this.#buckets) {
      const endMs = (index + 1) * BUCKET_MS
      if (endMs > keepFrom) continue
      for (const { author, nonce } of bucket) {
        const nonces = this.#authors.get(author)
        if (nonces?.delete(nonce) === true) this.#size--
        if (nonces?.size === 0) this.#authors.delete(author)
      }
      this.#buckets.delete(index)
      this.#floorMs = Math.max(this.#floorMs, endMs)
    }
  }
}

function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
