import { readdir, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaseDatastore } from 'datastore-core'
import type { LevelDatastore } from 'datastore-level'
import type { Batch, Key, KeyQuery, Pair, Query } from 'interface-datastore'
import { StoreError } from './errors.ts'
import type { Write } from './types.ts'

/** Beside twice its log, which LevelDB writes anew when it is opened: for its lists of files. */
const MARGIN_BYTES = 64 * 1024
/** Not a name that LevelDB knows, so that it leaves one alone that a crash left. */
const PROBE = 'room'
/** A probe that failed is not repeated within this, ms: it may be some megabytes. Chosen. */
const PROBE_INTERVAL_MS = 1_000

/**
 * A LevelDB database that goes on safely after a write failed. LevelDB itself goes on behind what was written by half, tells that all is
 * well, and leaves out what follows when it is opened the next time (measured on a full disk, 2026-11). So after a failure nothing is
 * written before the database was opened anew, and that not before there is room for it; until then all is read as before.
 */
export class MendingDatastore extends BaseDatastore {
  readonly #path: string
  readonly #child: LevelDatastore
  #failures = 0
  #isTorn = false
  #isClosed = false
  /** Of the last failure. */
  #cause: unknown
  #notBefore = 0
  /** Under way; never rejects. */
  #mending: Promise<void> | undefined

  /** @param path where `child` lies */
  constructor(path: string, child: LevelDatastore) {
    super()
    this.#path = path
    this.#child = child
  }

  /** All writes or none, on disk when it resolves. @throws StoreError STORE_WRITE_FAILED */
  sync(writes: readonly Write[]): Promise<void> {
    const operations = writes.map(({ key, value }) =>
      value === undefined ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const)
    )
    // because LevelDatastore.put cannot ask for an fsync, and an acknowledged apply must survive a power cut
    return this.#write(() => this.#child.db.batch(operations, { sync: true }))
  }

  override async put(key: Key, value: Uint8Array): Promise<Key> {
    await this.#write(() => this.#child.put(key, value))
    return key
  }

  override delete(key: Key): Promise<void> {
    return this.#write(() => this.#child.delete(key))
  }

  override batch(): Batch {
    const batch = this.#child.batch()
    return {
      put: (key, value) => batch.put(key, value),
      delete: (key) => batch.delete(key),
      commit: (options) => this.#write(async () => batch.commit(options))
    }
  }

  override async get(key: Key): Promise<Uint8Array> {
    await this.#mending
    return this.#child.get(key)
  }

  override async has(key: Key): Promise<boolean> {
    await this.#mending
    return this.#child.has(key)
  }

  override async *query(query: Query): AsyncGenerator<Pair> {
    await this.#mending
    yield* this.#child.query(query)
  }

  override async *queryKeys(query: KeyQuery): AsyncGenerator<Key> {
    await this.#mending
    yield* this.#child.queryKeys(query)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#mending
    await this.#child.close()
  }

  async #write(write: () => Promise<unknown>): Promise<void> {
    // a write that comes too late must not open it again
    while (this.#isTorn && !this.#isClosed) {
      this.#mending ??= this.#mend().finally(() => {
        this.#mending = undefined
      })
      await this.#mending
      if (this.#isTorn) throw failed(this.#cause)
    }
    const before = this.#failures
    try {
      await write()
    } catch (cause) {
      this.#failures++
      this.#isTorn = true
      this.#cause = cause
      throw failed(cause)
    }
    // because it may lie behind the one that failed
    if (this.#failures !== before) throw failed(this.#cause)
  }

  async #mend(): Promise<void> {
    try {
      await this.#findRoom()
      await this.#child.db.close()
      await this.#child.db.open()
      this.#isTorn = false
    } catch (cause) {
      this.#cause = cause
    }
  }

  /** @throws what a write throws, because a database that cannot be opened again could not be read either */
  async #findRoom(): Promise<void> {
    if (performance.now() < this.#notBefore) throw this.#cause
    const neededBytes = 2 * (await logBytes(this.#path)) + MARGIN_BYTES
    const { bavail, bsize } = await statfs(this.#path)
    if (bavail * bsize < neededBytes) throw this.#cause
    // because a quota, a limit or a broken disk shows only when something is written
    const probe = join(this.#path, PROBE)
    try {
      await writeFile(probe, new Uint8Array(neededBytes), { flush: true })
    } catch (error) {
      this.#notBefore = performance.now() + PROBE_INTERVAL_MS
      throw error
    } finally {
      await rm(probe, { force: true })
    }
  }
}

/** What LevelDB has not yet brought into order. */
async function logBytes(path: string): Promise<number> {
  const logs = (await readdir(path)).filter((name) => name.endsWith('.log'))
  const sizes = await Promise.all(logs.map(async (name) => (await stat(join(path, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

function failed(cause: unknown): StoreError {
  return new StoreError('STORE_WRITE_FAILED', 'the node cannot write to its disk', {
    cause,
    hint: 'See whether there is room where its data directory lies; its log has the reason.',
    retryable: true
  })
}
