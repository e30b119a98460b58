import { equalBytes, toHex } from '../../common/index.ts'
import { type Collection, jsonCodec, type Store } from '../../store/index.ts'
import { claims, type Fact, MAX_FACTS } from './fact.ts'

/** Of one manifest all facts together, bytes: as many go into one message. Chosen, with room for the rest of it. */
const MAX_BYTES = 64 * 1024

/** What nodes said of their parts of Jobs and CronJobs, the newest of each: in memory for reading, on disk before anybody is told. */
export class FactTable {
  readonly #stored: Collection<readonly Fact[]>
  readonly #facts = new Map<string, readonly Fact[]>()

  constructor(store: Store) {
    this.#stored = store.collection('facts', jsonCodec())
  }

  /** @param isKept whether the manifest is still kept here, by the key of its ID */
  async open(isKept: (key: string) => boolean): Promise<void> {
    for await (const [key, facts] of this.#stored.entries())
      if (isKept(key)) this.#facts.set(key, facts)
      else await this.#stored.delete(key)
  }

  of(manifestId: Uint8Array): readonly Fact[] {
    return this.#facts.get(toHex(manifestId)) ?? []
  }

  /** Takes what is newer than what is here. Durable when it resolves. */
  async take(manifestId: Uint8Array, facts: readonly Fact[]): Promise<void> {
    const key = toHex(manifestId)
    const before = this.of(manifestId)
    const after = mergeFacts(
      before,
      facts.filter((fact) => equalBytes(fact.manifestId, manifestId))
    )
    if (after.length === before.length && after.every((fact, index) => fact === before[index])) return
    this.#facts.set(key, after)
    await this.#stored.put(key, after)
  }

  async delete(manifestId: Uint8Array): Promise<void> {
    const key = toHex(manifestId)
    if (this.#facts.delete(key)) await this.#stored.delete(key)
  }
}

/** The newest of each author, and when there are too many those that matter most: of the newest version, with copies that are over. */
export function mergeFacts(before: readonly Fact[], facts: readonly Fact[]): readonly Fact[] {
  const merged = new Map(before.map((fact) => [fact.author, fact]))
  for (const fact of facts) {
    const known = merged.get(fact.author)
    if (known === undefined || isNewer(fact, known)) merged.set(fact.author, fact)
  }
  const all = [...merged.values()]
  const sizeOf = (some: readonly Fact[]) => some.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
  if (all.length <= MAX_FACTS && sizeOf(all) <= MAX_BYTES) return all
  const kept = all.sort(byWorth).slice(0, MAX_FACTS)
  while (sizeOf(kept) > MAX_BYTES) kept.pop()
  return kept
}

function isNewer(a: Fact, b: Fact): boolean {
  return a.version !== b.version ? a.version > b.version : a.issuedAt > b.issuedAt
}

function byWorth(a: Fact, b: Fact): number {
  const over = ({ copies, schedule }: Fact) => copies.filter((copy) => copy.over).length + schedule.length
  // first what is proven: a node that says it has no part can say so of any version
  return (
    Number(claims(b)) - Number(claims(a)) ||
    b.version - a.version ||
    over(b) - over(a) ||
    b.issuedAt - a.issuedAt
  )
}
