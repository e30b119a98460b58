import { MAX_MEMBERS } from './constants.ts'
import { openNodeStatement } from './node-statement.ts'
import type { NodeView } from './types.ts'

export interface MemberEntry extends NodeView {
  readonly lastSeenMs: number
}

/** What is known of other nodes: newest statement of each, expired ones gone, bounded. No I/O. */
export class MemberTable {
  readonly #networkId: Uint8Array
  readonly #now: () => number
  readonly #entries = new Map<string, MemberEntry>()

  constructor({ networkId, now }: { networkId: Uint8Array; now: () => number }) {
    this.#networkId = networkId
    this.#now = now
  }

  /** @throws EnvelopeError, MembersError */
  open(statement: Uint8Array): NodeView {
    return openNodeStatement(statement, { networkId: this.#networkId, nowMs: this.#now() })
  }

  /** The entry when the statement says something new; undefined when it is old, bad, or there is no room. */
  merge(statement: Uint8Array): MemberEntry | undefined {
    try {
      const node = this.open(statement)
      const known = this.#entries.get(node.peerId)
      if (known !== undefined && known.issuedAtMs >= node.issuedAtMs) return undefined
      if (known === undefined && this.#entries.size >= MAX_MEMBERS && !this.#dropExpired()) return undefined
      const entry = { ...node, lastSeenMs: node.issuedAtMs }
      this.#entries.set(node.peerId, entry)
      return entry
    } catch {
      return undefined // because peers may send anything; what cannot be verified was not said
    }
  }

  get(peerId: string): MemberEntry | undefined {
    this.#dropExpired()
    return this.#entries.get(peerId)
  }

  list(): MemberEntry[] {
    this.#dropExpired()
    return [...this.#entries.values()]
  }

  #dropExpired(): boolean {
    const before = this.#entries.size
    const nowMs = this.#now()
    for (const [peerId, { notAfterMs }] of this.#entries)
      if (notAfterMs <= nowMs) this.#entries.delete(peerId)
    return this.#entries.size < before
  }
}
