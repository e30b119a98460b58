import { createHash } from 'node:crypto'
import { type Collection, jsonCodec, type Store } from '../store/index.ts'
import { type GrantChain, openChain } from '../trust/index.ts'
import { MAX_CHAINS, MAX_CHAINS_PER_GRANT, MAX_CHAINS_PER_GUEST } from './constants.ts'

interface StoredChain {
  readonly bytes: Uint8Array
}

/** Chains of grants that were shown to this node and led back to one of its owners. On disk before anybody may rely on them. */
export class ChainTable {
  readonly #stored: Collection<StoredChain>
  readonly #networkId: Uint8Array
  readonly #bySubject = new Map<string, GrantChain[]>()
  #count = 0

  constructor(store: Store, networkId: Uint8Array) {
    this.#stored = store.collection('guests', jsonCodec())
    this.#networkId = networkId
  }

  /** @param counts whether a chain still does; the others are forgotten */
  async open(counts: (chain: GrantChain) => boolean): Promise<void> {
    for await (const [key, { bytes }] of this.#stored.entries()) {
      const chain = openChain(bytes, { networkId: this.#networkId })
      if (counts(chain)) this.#keep(chain)
      else await this.#stored.delete(key)
    }
  }

  of(subject: string): readonly GrantChain[] {
    return this.#bySubject.get(subject) ?? []
  }

  all(): GrantChain[] {
    return [...this.#bySubject.values()].flat()
  }

  /** @returns false when there is no room */
  async add(chain: GrantChain): Promise<boolean> {
    const known = this.of(chain.subject)
    if (known.some(({ bytes }) => keyOf(bytes) === keyOf(chain.bytes))) return true
    if (known.length >= MAX_CHAINS_PER_GUEST) await this.remove(firstToEnd(known))
    if (this.#count >= MAX_CHAINS || this.#below(chain.links[0]!.id) >= MAX_CHAINS_PER_GRANT) return false
    await this.#stored.put(keyOf(chain.bytes), { bytes: chain.bytes })
    this.#keep(chain)
    return true
  }

  async remove(chain: GrantChain): Promise<void> {
    const key = keyOf(chain.bytes)
    const left = this.of(chain.subject).filter(({ bytes }) => keyOf(bytes) !== key)
    this.#count -= this.of(chain.subject).length - left.length
    if (left.length === 0) this.#bySubject.delete(chain.subject)
    else this.#bySubject.set(chain.subject, left)
    await this.#stored.delete(key)
  }

  #below(id: string): number {
    return this.all().filter(({ links }) => links[0]!.id === id).length
  }

  #keep(chain: GrantChain): void {
    this.#bySubject.set(chain.subject, [...this.of(chain.subject), chain])
    this.#count++
  }
}

function keyOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function firstToEnd(chains: readonly GrantChain[]): GrantChain {
  return [...chains].sort((a, b) => a.terms.notAfter - b.terms.notAfter)[0]!
}
