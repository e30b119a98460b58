import { type Collection, jsonCodec, type Store } from '../../store/index.ts'
import { Budget } from '../../wire/index.ts'
import { HEAD_BUDGET, MAX_EVIDENCE, MAX_HEADS, MAX_WITNESSED } from '../constants.ts'
import { contradict, type Head } from '../head.ts'

/** What is held of one node's log. */
export interface Testimony {
  /** By sequence, spaced: few of long ago, more of lately. */
  readonly heads: readonly Head[]
  /** Heads that no honest node can have signed both. */
  readonly evidence: readonly (readonly [Head, Head])[]
}

const NOTHING: Testimony = { heads: [], evidence: [] }

/** Heads of other nodes' logs, kept on disk: whoever rewrites its log would have to rewrite these too. */
export class WitnessBook {
  readonly #stored: Collection<Testimony>
  readonly #known = new Map<string, Testimony>()
  readonly #budget: Budget
  #writing: Promise<unknown> = Promise.resolve()

  constructor(store: Store, now: () => number = Date.now) {
    this.#stored = store.collection('audit-witness', jsonCodec())
    this.#budget = new Budget(HEAD_BUDGET, now)
  }

  async open(): Promise<void> {
    for await (const [peerId, testimony] of this.#stored.entries()) this.#known.set(peerId, testimony)
  }

  of(peerId: string): Testimony {
    return this.#known.get(peerId) ?? NOTHING
  }

  /**
   * Compares a head with what is held of its node, and keeps it. @param head the newest of its node, or an older one that was asked for,
   * which is only compared @returns a head it contradicts, when that was not known before
   */
  take(head: Head): Head | undefined {
    const { heads, evidence } = this.of(head.peerId)
    const other = heads.find((one) => contradict(one, head))
    if (other !== undefined) {
      // once a place is enough: a node that goes on with a log it rewrote contradicts itself with every head
      if (evidence.length >= MAX_EVIDENCE || evidence.some(([one]) => one.sequence === other.sequence))
        return undefined
      this.#put(head.peerId, { heads, evidence: [...evidence, [other, head]] })
      return other
    }
    const newest = heads.at(-1)?.sequence ?? -1
    if (head.sequence !== head.length || head.sequence <= newest || !this.#budget.take(head.peerId))
      return undefined
    this.#put(head.peerId, { heads: spaced([...heads, head]), evidence })
    return undefined
  }

  /** Resolves when all is on disk. */
  async idle(): Promise<void> {
    await this.#writing
  }

  #put(peerId: string, testimony: Testimony): void {
    this.#known.delete(peerId) // so that the one heard of last stands last
    this.#known.set(peerId, testimony)
    const gone = [...this.#known].find(([, { evidence }]) => evidence.length === 0)?.[0]
    const drop = this.#known.size > MAX_WITNESSED ? (gone ?? this.#known.keys().next().value!) : undefined
    if (drop !== undefined) this.#known.delete(drop)
    this.#writing = this.#writing
      .then(() => this.#stored.put(peerId, testimony))
      .then(() => (drop === undefined ? undefined : this.#stored.delete(drop)))
      .catch(() => {}) // because it is held in memory, and the next head is written again
  }
}

/** Leaves out the one that is missed least: whose neighbours are near each other, measured by how long ago they are. */
function spaced(heads: readonly Head[]): readonly Head[] {
  if (heads.length <= MAX_HEADS) return heads
  const end = heads.at(-1)!.sequence
  const missed = (index: number) =>
    (heads[index + 1]!.sequence - heads[index - 1]!.sequence) / (end - heads[index]!.sequence + 1)
  let least = 1
  for (let index = 2; index < heads.length - 1; index++) if (missed(index) < missed(least)) least = index
  return heads.filter((_, index) => index !== least)
}
