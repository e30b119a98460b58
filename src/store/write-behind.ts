import { BaseDatastore } from 'datastore-core'
import type { Datastore, KeyQuery, Pair, Query } from 'interface-datastore'
import { Key } from 'interface-datastore'

/** A write waits for so long for others of the same key. Chosen: what is lost with the power is heard again from peers. */
const FLUSH_MS = 1_000
/** Writes that wait; at this many all are written. */
const MAX_WAITING = 512
/** Values kept for reading, those read last: the peers of a mesh of thousands, about 1 KiB each. Chosen. */
const MAX_CACHED = 2_048

/**
 * Writes late and reads from memory, for what libp2p keeps: it reads and writes a peer's entry with every stream that is opened, which on a
 * database costs more than the stream. Nothing of ours that must be durable goes through here.
 */
export class WriteBehind extends BaseDatastore {
  readonly #child: Datastore
  /** Most recently used last. */
  readonly #cached = new Map<string, Uint8Array>()
  #waiting = new Map<string, Uint8Array>()
  /** The last write that was begun. Never rejects: that a disk is full must not keep anybody from reading it. */
  #writing: Promise<unknown> = Promise.resolve()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(child: Datastore) {
    super()
    this.#child = child
  }

  override put(key: Key, value: Uint8Array): Key {
    const name = key.toString()
    this.#waiting.set(name, value)
    this.#remember(name, value)
    if (this.#waiting.size >= MAX_WAITING) void this.flush().catch(() => {})
    else if (this.#timer === undefined) {
      // because a peer's addresses are no reason to hold up the end of a process; stopping flushes
      this.#timer = setTimeout(() => void this.flush().catch(() => {}), FLUSH_MS)
      this.#timer.unref()
    }
    return key
  }

  override async get(key: Key): Promise<Uint8Array> {
    const name = key.toString()
    const known = () => this.#waiting.get(name) ?? this.#cached.get(name)
    const here = known()
    if (here !== undefined) return this.#remember(name, here)
    await this.#writing // because what is being written may have left the memory
    const stored = await this.#child.get(key)
    return this.#remember(name, known() ?? stored) // what was put meanwhile is newer
  }

  override async has(key: Key): Promise<boolean> {
    const name = key.toString()
    if (this.#waiting.has(name) || this.#cached.has(name)) return true
    await this.#writing
    return this.#child.has(key)
  }

  override async delete(key: Key): Promise<void> {
    const name = key.toString()
    this.#waiting.delete(name)
    this.#cached.delete(name)
    await this.#writing
    await this.#child.delete(key)
    // a read that was under way may have brought it back
    this.#cached.delete(name)
  }

  override async *query(query: Query): AsyncGenerator<Pair> {
    await this.#settle(query)
    yield* this.#child.query(query)
  }

  override async *queryKeys(query: KeyQuery): AsyncGenerator<Key> {
    await this.#settle(query)
    yield* this.#child.queryKeys(query)
  }

  /** Resolves when everything put before is with the child. What cannot be written is lost, as by a power cut. @throws the child's error */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const writes = this.#waiting
    if (writes.size === 0) {
      await this.#writing
      return
    }
    this.#waiting = new Map()
    const write = async () => {
      const batch = this.#child.batch()
      for (const [name, value] of writes) batch.put(new Key(name, false), value)
      await batch.commit()
    }
    const written = this.#writing.then(write)
    this.#writing = written.catch(() => {})
    await written
  }

  /** What a query would find is with the child, or cannot be. */
  async #settle({ prefix = '/' }: Query | KeyQuery): Promise<void> {
    for (const name of this.#waiting.keys())
      if (name.startsWith(prefix)) return await this.flush().catch(() => {})
    await this.#writing
  }

  #remember(name: string, value: Uint8Array): Uint8Array {
    this.#cached.delete(name)
    this.#cached.set(name, value)
    if (this.#cached.size > MAX_CACHED) this.#cached.delete(this.#cached.keys().next().value!)
    return value
  }
}
