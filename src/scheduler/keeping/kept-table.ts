import { equalBytes, toHex } from '../../common/index.ts'
import { type Collection, jsonCodec, type Store } from '../../store/index.ts'
import type { Bundle } from '../../workloads/index.ts'
import { MAX_KEPT, MAX_KEPT_PER_OWNER } from '../constants.ts'
import { SchedulerError } from '../errors.ts'
import { FactTable } from '../facts/fact-table.ts'
import type { CheckedRecord, Kept } from '../types.ts'

interface StoredKept {
  readonly bundle: Bundle
  readonly keptAtMs: number
}

/** What became of something that was brought. */
export type Taken = 'new' | 'known' | 'older' | 'equivocation'

/** What this node keeps for owners, as keeper or holder: in memory for reading, on disk before anybody is told. */
export class KeptTable {
  readonly #stored: Collection<StoredKept>
  readonly #kept = new Map<string, Kept>()
  readonly #check: (bytes: Uint8Array) => CheckedRecord
  /** What nodes said of their parts of Jobs that are kept here. */
  readonly facts: FactTable

  /** @param check what makes a record count here */
  constructor(store: Store, check: (bytes: Uint8Array) => CheckedRecord) {
    this.#stored = store.collection('kept', jsonCodec())
    this.#check = check
    this.facts = new FactTable(store)
  }

  /** Reads everything back; what is over, or of an owner who may do nothing here any more, goes. */
  async open(nowMs: number): Promise<void> {
    for await (const [key, { bundle, keptAtMs }] of this.#stored.entries()) {
      try {
        const record = this.#check(bundle.record)
        if (record.notAfter > nowMs) {
          this.#kept.set(key, { record, bundle, keptAtMs })
          continue
        }
      } catch {} // because what does not count is as if it were not here
      await this.#stored.delete(key)
    }
    await this.facts.open((key) => this.#kept.has(key))
  }

  get(manifestId: Uint8Array): Kept | undefined {
    return this.#kept.get(toHex(manifestId))
  }

  all(): Kept[] {
    return [...this.#kept.values()]
  }

  /**
   * Takes a version in when it is newer than what is here. Of two records with one version the lower digest is kept, by every node.
   * Durable when it resolves. @throws SchedulerError NOT_ALLOWED when there is no room
   */
  async take(record: CheckedRecord, bundle: Bundle, nowMs: number): Promise<Taken> {
    const key = toHex(record.manifestId)
    const before = this.#kept.get(key)
    const order = before === undefined ? 'new' : compare(before, record)
    const isLower = before !== undefined && Buffer.compare(record.digest, before.record.digest) < 0
    if (order === 'known' || order === 'older' || (order === 'equivocation' && !isLower)) return order
    this.#assertRoom(record, before)
    const kept = { record, bundle, keptAtMs: nowMs }
    this.#kept.set(key, kept)
    try {
      await this.#stored.put(key, { bundle, keptAtMs: nowMs })
    } catch (error) {
      // because whoever brings it again must not hear that it is known
      if (this.#kept.get(key) === kept) this.#restore(key, before)
      throw error
    }
    return order
  }

  /** Writes down what was sealed anew. Durable when it resolves. */
  async reseal(manifestId: Uint8Array, bundle: Bundle): Promise<void> {
    const key = toHex(manifestId)
    const kept = this.#kept.get(key)
    if (kept === undefined || !equalBytes(kept.bundle.record, bundle.record)) return
    this.#kept.set(key, { ...kept, bundle })
    await this.#stored.put(key, { bundle, keptAtMs: kept.keptAtMs })
  }

  async delete(manifestId: Uint8Array): Promise<void> {
    const key = toHex(manifestId)
    this.#kept.delete(key)
    await this.facts.delete(manifestId)
    await this.#stored.delete(key)
  }

  #restore(key: string, before: Kept | undefined): void {
    if (before === undefined) this.#kept.delete(key)
    else this.#kept.set(key, before)
  }

  #assertRoom({ ownerPeerId }: CheckedRecord, before: Kept | undefined): void {
    if (before !== undefined) return
    const ofOwner = this.all().filter(({ record }) => record.ownerPeerId === ownerPeerId).length
    if (this.#kept.size < MAX_KEPT && ofOwner < MAX_KEPT_PER_OWNER) return
    throw new SchedulerError('NOT_ALLOWED', `this node keeps ${ofOwner} manifests of this owner already`)
  }
}

function compare(before: Kept, { version, digest }: CheckedRecord): Taken {
  if (before.record.version !== version) return before.record.version < version ? 'new' : 'older'
  return equalBytes(before.record.digest, digest) ? 'known' : 'equivocation'
}
