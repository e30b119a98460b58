import { INTEREST_MAX_MANIFESTS, INTEREST_MAX_PEERS, INTEREST_MS } from '../constants.ts'

/** Who asked lately about what this node runs, and so is told when that changes. Bounded; the one that asked longest ago goes. */
export class Interest {
  readonly #now: () => number
  readonly #peers = new Map<string, Map<string, number>>()

  constructor(now: () => number) {
    this.#now = now
  }

  note(peerId: string, key: string): void {
    const keys = this.#peers.get(peerId) ?? new Map<string, number>()
    this.#peers.delete(peerId)
    this.#peers.set(peerId, keys)
    keys.delete(key)
    keys.set(key, this.#now() + INTEREST_MS)
    if (keys.size > INTEREST_MAX_MANIFESTS) keys.delete(keys.keys().next().value!)
    if (this.#peers.size > INTEREST_MAX_PEERS) this.#peers.delete(this.#peers.keys().next().value!)
  }

  drop(peerId: string, keys: readonly string[]): void {
    const known = this.#peers.get(peerId)
    for (const key of keys) known?.delete(key)
    if (known?.size === 0) this.#peers.delete(peerId)
  }

  forget(peerId: string): void {
    this.#peers.delete(peerId)
  }

  /** Manifests each is told of; with a key only those interested in it. */
  *each(key?: string): Generator<[peerId: string, keys: string[]]> {
    const nowMs = this.#now()
    for (const [peerId, known] of this.#peers) {
      for (const [one, untilMs] of known) if (untilMs <= nowMs) known.delete(one)
      if (known.size === 0) this.#peers.delete(peerId)
      else if (key === undefined) yield [peerId, [...known.keys()]]
      else if (known.has(key)) yield [peerId, [key]]
    }
  }
}
