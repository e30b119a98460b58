import { type Collection, jsonCodec, type Store } from '../../store/index.ts'

interface StoredHolder {
  readonly peerId: string
  readonly version: number
}

/** Which node holds which fenced copy, on disk: written only when that changes, because a renewal must not cost an fsync. */
export class HolderTable {
  readonly #stored: Collection<StoredHolder>
  #tail: Promise<void> = Promise.resolve()

  constructor(store: Store) {
    this.#stored = store.collection('fences', jsonCodec())
  }

  entries(): AsyncIterable<[string, StoredHolder]> {
    return this.#stored.entries()
  }

  /** Durable when it resolves. In the order of the calls. */
  put(key: string, holder: StoredHolder): Promise<void> {
    return this.#write(() => this.#stored.put(key, holder))
  }

  delete(key: string): Promise<void> {
    return this.#write(() => this.#stored.delete(key))
  }

  #write(act: () => Promise<void>): Promise<void> {
    const written = this.#tail.then(act)
    this.#tail = written.catch(() => {}) // because whoever asked for that write hears of its failure
    return written
  }
}
