/**
 * Durable state on LevelDB: typed collections, atomic writes that are on disk when they resolve. Stands apart so that
 * no other folder knows the database. Never knows what it stores.
 *
 * @example
 * ```ts
 * const store = await openStore('/var/lib/beemesh/db')
 * const notes = store.collection<{ text: string }>('notes', jsonCodec())
 * await notes.put('a', { text: 'kept' })
 * ```
 */
export { STORE_ERROR_CODES, StoreError, type StoreErrorCode } from './errors.ts'
export { jsonCodec, memoryStore, openStore } from './store.ts'
export type { Codec, Collection, Store, Write } from './types.ts'
