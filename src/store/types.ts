import type { Datastore } from 'interface-datastore'

/** How values of one collection become bytes and back. `decode` throws on bytes it does not know. */
export interface Codec<T> {
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): T
}

/** One write of a {@link Store.write}. Built with {@link Collection.putting} and {@link Collection.deleting}. */
export interface Write {
  readonly key: string
  /** undefined deletes. */
  readonly value?: Uint8Array
}

/** Typed values under string keys. Keys are any text without "/". */
export interface Collection<T> {
  get(key: string): Promise<T | undefined>
  /** Durable when it resolves. @throws StoreError STORE_WRITE_FAILED */
  put(key: string, value: T): Promise<void>
  delete(key: string): Promise<void>
  /** All entries in key order. An entry that cannot be decoded throws STORE_VALUE_INVALID. */
  entries(): AsyncIterable<[string, T]>
  putting(key: string, value: T): Write
  deleting(key: string): Write
}

/** The node's durable state. */
export interface Store {
  collection<T>(name: string, codec: Codec<T>): Collection<T>
  /** All writes or none, on disk when it resolves. @throws StoreError STORE_WRITE_FAILED */
  write(writes: readonly Write[]): Promise<void>
  /** A part of the same database for libp2p's own services (peer store, DHT). */
  readonly libp2p: Datastore
  close(): Promise<void>
}
