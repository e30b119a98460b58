import { createHash } from 'node:crypto'
import { AuditLog, LogCheck } from '../../src/audit/index.ts'
import type { EntryDraft, LogState } from '../../src/audit/types.ts'
import { AUDIT_ENTRY, decode } from '../../src/envelope/index.ts'
import { encodeAuditEntry } from '../../src/generated/fbs/index.ts'
import { generateSigningKey, openNetwork } from '../../src/identity/index.ts'
import { type Collection, jsonCodec, memoryStore, type Store } from '../../src/store/index.ts'

export const networkId = openNetwork('test').id

/** A log on a store in memory, with a clock that is moved by hand, and its database laid open. */
export async function createLog({
  maxEntries = 50_000,
  key = generateSigningKey(),
  store = memoryStore()
} = {}) {
  const clock = { nowMs: 1_000_000 }
  const errors: unknown[] = []
  const log = new AuditLog({
    store,
    key,
    networkId,
    maxEntries,
    now: () => clock.nowMs,
    onError: (error) => errors.push(error)
  })
  await log.open()
  const write = async (count: number, draft: Partial<EntryDraft> = {}) => {
    for (let index = 0; index < count; index++)
      log.append({ what: 'asked', action: 'apply', at: clock.nowMs++, ...draft })
    await log.flush()
  }
  return { log, write, clock, key, store, errors, stored: rawEntries(store) }
}

/** What a thief of the disk would write to. */
export function rawEntries(store: Store): Collection<Uint8Array> {
  return store.collection('audit', { encode: (bytes) => bytes, decode: (bytes) => Uint8Array.from(bytes) })
}

export function rawState(store: Store): Collection<LogState> {
  return store.collection('audit-state', jsonCodec())
}

export function keyOf(sequence: number): string {
  return String(sequence).padStart(16, '0')
}

/** Reads a whole log as an owner would. @param minKept @default 0: small logs may be cut */
export async function check(log: AuditLog, peerId: string, { minKept = 0 } = {}): Promise<LogCheck> {
  const result = new LogCheck(peerId, { networkId, minKept })
  result.begin((await log.headAt(log.state.cut.sequence))!)
  for await (const { bytes } of log.entries()) result.add(bytes)
  result.end((await log.headAt())!)
  return result
}

/** What somebody with the node's key and its disk can do: another entry, and all after it chained and signed anew. */
export async function rewrite(store: Store, sequence: number): Promise<void> {
  const stored = rawEntries(store)
  const state = (await rawState(store).get('log'))!
  let previous = decode(AUDIT_ENTRY, (await stored.get(keyOf(sequence)))!).previous
  for (let at = sequence; at <= state.sequence; at++) {
    const entry = decode(AUDIT_ENTRY, (await stored.get(keyOf(at)))!)
    const bytes = encodeAuditEntry({ ...entry, previous, action: at === sequence ? 'status' : entry.action })
    await stored.put(keyOf(at), bytes)
    const hash = createHash('sha256').update('beemesh.v1/audit\0').update(previous).update(bytes).digest()
    previous = new Uint8Array(hash)
  }
  await rawState(store).put('log', { ...state, hash: previous })
}
