import { MemoryDatastore } from 'datastore-core'
import { LevelDatastore } from 'datastore-level'
import { type Datastore, Key } from 'interface-datastore'
import { StoreError } from './errors.ts'
import { MendingDatastore } from './mending.ts'
import { PrefixedDatastore } from './prefixed.ts'
import type { Codec, Collection, Store, Write } from './types.ts'
import { WriteBehind } from './write-behind.ts'

const ROOT = '/beemesh'

/** Opens (and makes) the LevelDB database in folder `path`. @throws StoreError STORE_LOCKED, STORE_UNUSABLE */
export async function openStore(path: string): Promise<Store> {
  const datastore = new LevelDatastore(path)
  try {
    await datastore.db.open() // not datastore.open(): that one throws the cause away
  } catch (cause) {
    if (cause instanceof Error && (cause.cause as { code?: string } | undefined)?.code === 'LEVEL_LOCKED')
      throw new StoreError('STORE_LOCKED', `another process holds the database ${path}`, {
        cause,
        hint: 'Stop the node that uses this data directory, or choose another with --data-dir.'
      })
    throw new StoreError('STORE_UNUSABLE', `cannot open the database ${path}`, { cause, details: { path } })
  }
  const mending = new MendingDatastore(path, datastore)
  return createStore(
    mending,
    (writes) => mending.sync(writes),
    () => mending.close()
  )
}

/** A store that forgets everything; for tests. */
export function memoryStore(): Store {
  const datastore = new MemoryDatastore()
  const write = async (writes: readonly Write[]) => {
    for (const { key, value } of writes)
      value === undefined ? datastore.delete(new Key(key)) : datastore.put(new Key(key), value)
  }
  return createStore(datastore, write, async () => {})
}

function createStore(
  datastore: Datastore,
  write: (writes: readonly Write[]) => Promise<void>,
  close: () => Promise<void>
): Store {
  const libp2p = new WriteBehind(new PrefixedDatastore(datastore, '/libp2p'))
  return {
    collection: (name, codec) => createCollection(datastore, name, codec, write),
    write,
    libp2p,
    close: async () => {
      await libp2p.flush().catch(() => {}) // because what libp2p remembers is no reason not to close
      await close()
    }
  }
}

function createCollection<T>(
  datastore: Datastore,
  name: string,
  codec: Codec<T>,
  write: (writes: readonly Write[]) => Promise<void>
): Collection<T> {
  const prefix = `${ROOT}/${name}/`
  const decode = (key: string, bytes: Uint8Array): T => {
    try {
      return codec.decode(bytes)
    } catch (cause) {
      throw new StoreError('STORE_VALUE_INVALID', `entry ${key} of the node's state cannot be read`, {
        cause
      })
    }
  }
  const putting = (key: string, value: T): Write => ({ key: prefix + key, value: codec.encode(value) })
  const deleting = (key: string): Write => ({ key: prefix + key })
  return {
    async get(key) {
      try {
        return decode(key, await datastore.get(new Key(prefix + key)))
      } catch (error) {
        if (error instanceof Error && error.name === 'NotFoundError') return undefined
        throw error
      }
    },
    put: (key, value) => write([putting(key, value)]),
    delete: (key) => write([deleting(key)]),
    async *entries() {
      for await (const { key, value } of datastore.query({ prefix }))
        yield [key.toString().slice(prefix.length), decode(key.toString(), value)] as [string, T]
    },
    putting,
    deleting
  }
}

/** Values as JSON text; `Uint8Array`s anywhere inside are kept as base64. */
export function jsonCodec<T>(): Codec<T> {
  return {
    encode: (value) =>
      new TextEncoder().encode(
        JSON.stringify(value, (_key, inner: unknown) =>
          inner instanceof Uint8Array ? { $bytes: Buffer.from(inner).toString('base64') } : inner
        )
      ),
    decode: (bytes) =>
      JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), (_key, inner: unknown) =>
        isBytes(inner) ? new Uint8Array(Buffer.from(inner.$bytes, 'base64')) : inner
      ) as T
  }
}

function isBytes(value: unknown): value is { $bytes: string } {
  return typeof value === 'object' && value !== null && '$bytes' in value && typeof value.$bytes === 'string'
}
