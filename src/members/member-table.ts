import { MAX_MEMBERS } from './constants.ts'
import { openNodeStatement } from './node-statement.ts'
import type { NodeView } from './types.ts'

export interface MemberEntry extends NodeView {
  readonly lastSeenMs: number
}

export interface MemberTableInit {
  readonly networkId: Uint8Array
  readonly now: () => number
  /** Whether a member makes room for a newcomer when the table is full. @default none does */
  readonly isGone?: (peerId: string) => boolean
  /** @default {@link MAX_MEMBERS} */
  readonly max?: number
  readonly onDropped?: (peerId: string) => void
}

/**
 * What is known of other nodes: newest statement of each, expired ones gone, bounded. Statements of those that are gone
 * are kept until they expire, so that an older one does not bring them back. No I/O.
 */
export class MemberTable {
  readonly #init: MemberTableInit
  readonly #entries = new Map<string, MemberEntry>()

  constructor(init: MemberTableInit) {
    this.#init = init
  }

  /** @throws EnvelopeError, MembersError */
  open(statement: Uint8Array): NodeView {
    return openNodeStatement(statement, { networkId: this.#init.networkId, nowMs: this.#init.now() })
  }

  /**
   * The entry when the statement says something new; undefined when it is old, or there is no room.
   * @throws EnvelopeError, MembersError when it cannot be verified
   */
  merge(statement: Uint8Array): MemberEntry | undefined {
    return this.take(this.open(statement))
  }

  /** The same of one that is checked already. */
  take(node: NodeView): MemberEntry | undefined {
    const known = this.#entries.get(node.peerId)
    if (known !== undefined && known.issuedAtMs >= node.issuedAtMs) return undefined
    if (known === undefined && !this.#hasRoom()) return undefined
    const entry = { ...node, lastSeenMs: node.issuedAtMs }
    this.#entries.set(node.peerId, entry)
    return entry
  }

  get(peerId: string): MemberEntry | undefined {
    const entry = this.#entries.get(peerId)
    if (entry === undefined || entry.notAfterMs > this.#init.now()) return entry
    this.#drop(peerId)
    return undefined
  }

  list(): MemberEntry[] {
    this.#dropExpired()
    return [...this.#entries.values()]
  }

  #hasRoom(): boolean {
    const { max = MAX_MEMBERS, isGone = () => false } = this.#init
    if (this.#entries.size < max) return true
    this.#dropExpired()
    if (this.#entries.size < max) return true
    for (const peerId of this.#entries.keys()) if (isGone(peerId)) return this.#drop(peerId)
    return false
  }

  #dropExpired(): void {
    const nowMs = this.#init.now()
    for (const [peerId, { notAfterMs }] of this.#entries) if (notAfterMs <= nowMs) this.#drop(peerId)
  }

  #drop(peerId: string): boolean {
    this.#init.onDropped?.(peerId)
    return this.#entries.delete(peerId)
  }
}
