import { safeText } from '../common/index.ts'
import { AUDIT_ENTRY, decode } from '../envelope/index.ts'
import { encodeAuditEntry } from '../generated/fbs/index.ts'
import type { SigningKey } from '../identity/index.ts'
import { type Codec, type Collection, jsonCodec, type Store } from '../store/index.ts'
import { entryHash, startHash } from './chain.ts'
import { CUT_ENTRIES, FLUSH_MS, MAX_ENTRIES, MAX_UNWRITTEN, RETRY_MS } from './constants.ts'
import { signHead } from './head.ts'
import type { ChainPoint, EntryDraft, LogState, StoredEntry } from './types.ts'

export interface AuditLogInit {
  readonly store: Store
  /** The node's. */
  readonly key: SigningKey
  readonly networkId: Uint8Array
  /** Called when entries could not be written; they are tried again. @default nothing */
  readonly onError?: (error: unknown) => void
  /** @default {@link MAX_ENTRIES} */
  readonly maxEntries?: number
  readonly now?: () => number
}

const RAW: Codec<Uint8Array> = { encode: (bytes) => bytes, decode: (bytes) => Uint8Array.from(bytes) }

/**
 * The chain on disk. Entries get their place at once and are written soon, many together; a signature for each would cost more than what
 * it tells of, so only heads are signed, and only of what is on disk: else a crash would make a liar of the node.
 */
export class AuditLog {
  readonly #init: AuditLogInit
  readonly #now: () => number
  readonly #max: number
  readonly #entries: Collection<Uint8Array>
  readonly #states: Collection<LogState>
  /** What is on disk. */
  #state: LogState
  /** What has a place, on disk or not. */
  #end: ChainPoint
  #unwritten: StoredEntry[] = []
  #missed = 0
  #readers = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<unknown> = Promise.resolve()
  #onWritten: (state: LogState) => void = () => {}

  constructor(init: AuditLogInit) {
    this.#init = init
    this.#now = init.now ?? Date.now
    this.#max = init.maxEntries ?? MAX_ENTRIES
    this.#entries = init.store.collection('audit', RAW)
    this.#states = init.store.collection('audit-state', jsonCodec())
    const start = { sequence: 0, hash: startHash(init.networkId, init.key.publicKey) }
    this.#state = { ...start, atMs: 0, cut: start }
    this.#end = start
  }

  /** Goes on where the last run stopped. */
  async open(): Promise<void> {
    this.#state = (await this.#states.get('log')) ?? this.#state
    this.#end = this.#state
  }

  /** How far it goes on disk. */
  get state(): LogState {
    return this.#state
  }

  /** Called after each write. */
  onWritten(listener: (state: LogState) => void): void {
    this.#onWritten = listener
  }

  /** Adds an entry. Never waits and never throws because of the disk. */
  append(draft: EntryDraft): void {
    if (this.#unwritten.length >= MAX_UNWRITTEN) {
      this.#missed++
      return
    }
    if (this.#missed > 0) {
      const missed = this.#missed
      this.#missed = 0
      this.#place({ what: 'missed', action: 'audit', count: missed, at: this.#now() })
    }
    this.#place(draft)
    this.#later(FLUSH_MS)
  }

  /** Everything added so far is on disk when it resolves. @throws StoreError, and what the disk says */
  flush(): Promise<void> {
    const written = this.#writing.then(() => this.#write())
    this.#writing = written.catch(() => {}) // because whoever flushes next tries again
    return written
  }

  async close(): Promise<void> {
    await this.flush().catch((error: unknown) => this.#init.onError?.(error))
    clearTimeout(this.#timer)
  }

  /** The signed head at an entry; undefined where it is not kept, or not there yet. @param sequence @default the end */
  async headAt(sequence: number = this.#state.sequence): Promise<Uint8Array | undefined> {
    const log = this.#state
    const hash = await this.#hashAt(sequence, log)
    const { key, networkId } = this.#init
    return hash && signHead({ sequence, hash }, { log, key, networkId })
  }

  /** Entries on disk, in order. One that is missing is left out, for whoever checks to see. */
  async *entries({ from = 0, to = this.#state.sequence } = {}): AsyncGenerator<StoredEntry> {
    this.#readers++
    try {
      for (let sequence = Math.max(from, this.#state.cut.sequence + 1); sequence <= to; sequence++) {
        const bytes = await this.#entries.get(keyOf(sequence))
        if (bytes !== undefined) yield { sequence, bytes }
      }
    } finally {
      this.#readers--
    }
  }

  /** The first entry that is not older, going back from the end. @returns one after the end: none */
  async firstSince(sinceMs: number): Promise<number> {
    let first = this.#state.sequence + 1
    while (first - 1 > this.#state.cut.sequence) {
      const bytes = await this.#entries.get(keyOf(first - 1))
      if (bytes === undefined || decode(AUDIT_ENTRY, bytes).at < sinceMs) break
      first--
    }
    return first
  }

  #place({ action, code, rule, transport, ...draft }: EntryDraft): void {
    const { sequence: last, hash: previous } = this.#end
    const sequence = last + 1
    const bytes = encodeAuditEntry({
      ...draft,
      sequence,
      previous,
      action: safeText(action, 32),
      code: code && safeText(code, 64),
      rule: rule && safeText(rule, 128),
      transport: transport && safeText(transport, 64)
    })
    this.#unwritten.push({ sequence, bytes })
    this.#end = { sequence, hash: entryHash(previous, bytes) }
  }

  #later(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.flush().catch((error: unknown) => {
        this.#init.onError?.(error)
        this.#later(RETRY_MS)
      })
    }, ms)
  }

  async #write(): Promise<void> {
    const batch = [...this.#unwritten] // a copy, because more come while this is written
    if (batch.length === 0) return
    const state = { ...this.#end, atMs: Math.max(this.#now(), this.#state.atMs + 1), cut: this.#state.cut }
    const { cut, writes } = await this.#cutFor(state, batch)
    const kept = batch.filter(({ sequence }) => sequence > cut.sequence)
    const next: LogState = { ...state, cut }
    await this.#init.store.write([
      ...kept.map(({ sequence, bytes }) => this.#entries.putting(keyOf(sequence), bytes)),
      ...writes,
      this.#states.putting('log', next)
    ])
    // only now, because entries that came meanwhile have their place behind these
    this.#unwritten = this.#unwritten.slice(batch.length)
    this.#state = next
    this.#onWritten(next)
  }

  /** Where the log begins when it ends there, and what is to be deleted for it. */
  async #cutFor({ sequence: end, cut: old }: LogState, batch: readonly StoredEntry[]) {
    const step = Math.min(CUT_ENTRIES, Math.ceil(this.#max / 2))
    const excess = end - old.sequence - this.#max
    // while somebody reads it may grow: what is cut under a reader would look as if it had been taken out
    if (excess <= (this.#readers > 0 ? this.#max : 0)) return { cut: old, writes: [] }
    const sequence = old.sequence + Math.ceil(excess / step) * step
    const next = batch.find((entry) => entry.sequence === sequence + 1)?.bytes
    const hash = await this.#previousOf(sequence + 1, next)
    if (hash === undefined) return { cut: old, writes: [] } // because a log that has a hole is not made shorter, too
    const gone = Array.from({ length: sequence - old.sequence }, (_, index) => old.sequence + 1 + index)
    return { cut: { sequence, hash }, writes: gone.map((one) => this.#entries.deleting(keyOf(one))) }
  }

  async #hashAt(sequence: number, log: LogState): Promise<Uint8Array | undefined> {
    for (const point of [log, log.cut]) if (point.sequence === sequence) return point.hash
    if (sequence > log.sequence || sequence < log.cut.sequence) return undefined
    return this.#previousOf(sequence + 1)
  }

  async #previousOf(sequence: number, known?: Uint8Array): Promise<Uint8Array | undefined> {
    const bytes = known ?? (await this.#entries.get(keyOf(sequence)))
    return bytes && decode(AUDIT_ENTRY, bytes).previous
  }
}

function keyOf(sequence: number): string {
  return String(sequence).padStart(16, '0')
}
