import { equalBytes, toError } from '../common/index.ts'
import { AUDIT_ENTRY, decode } from '../envelope/index.ts'
import type { AuditEntry } from '../generated/fbs/index.ts'
import { publicKeyFromPeerId } from '../identity/index.ts'
import { entryHash, startHash } from './chain.ts'
import { CUT_ENTRIES, MAX_ENTRIES } from './constants.ts'
import { contradict, type Head, openHead } from './head.ts'

/** What is wrong with a log, and where. */
export interface AuditFault {
  /** The entry; of two that do not fit together the earlier one. */
  readonly sequence: number
  /**
   * malformed: cannot be read · missing: not in its place · changed: not what the next entry, or the node's own signature, was made over ·
   * head: the node's signature is none · cut: the beginning is not where it may be · contradicted: the node signed something else
   * before · shortened: it had more entries before
   */
  readonly reason: 'malformed' | 'missing' | 'changed' | 'head' | 'cut' | 'contradicted' | 'shortened'
  readonly message: string
}

/** agrees: it has the same hash · older: from before what is kept, so there is nothing to compare · newer: read more entries first */
export type HeadVerdict = 'agrees' | 'older' | 'newer' | AuditFault

/** Entries an honest node keeps at least once it has cut. */
const MIN_KEPT = MAX_ENTRIES - CUT_ENTRIES

/** Recomputes a node's log entry by entry, for somebody who trusts neither it nor whoever carried it. */
export class LogCheck {
  readonly faults: AuditFault[] = []
  readonly #networkId: Uint8Array
  readonly #peerId: string
  readonly #minKept: number
  /** Hash after entry `#first - 1 + index`. */
  readonly #hashes: Uint8Array[]
  #first = 1
  #head: Head | undefined

  constructor(
    peerId: string,
    { networkId, minKept = MIN_KEPT }: { networkId: Uint8Array; minKept?: number }
  ) {
    this.#peerId = peerId
    this.#networkId = networkId
    this.#minKept = minKept
    this.#hashes = [startHash(networkId, publicKeyFromPeerId(peerId))]
  }

  /** The first entry there is. */
  get first(): number {
    return this.#first
  }

  /** The last entry read so far, one before the first: none. */
  get last(): number {
    return this.#first + this.#hashes.length - 2
  }

  get head(): Head | undefined {
    return this.#head
  }

  /** Where the node says it cut its log. Before the first entry. */
  begin(base: Uint8Array): void {
    const head = this.#open(base, 0)
    if (head === undefined) return
    if (head.sequence === 0 && !equalBytes(head.hash, this.#hashes[0]!))
      this.#fault(0, 'cut', 'the log does not begin as a log of this node in this network does')
    this.#first = head.sequence + 1
    this.#hashes.splice(0, 1, head.hash)
    if (head.sequence > 0 && head.length - head.sequence < this.#minKept)
      this.#fault(
        head.sequence,
        'cut',
        `entries up to ${head.sequence} of ${head.length} are gone, more than a node cuts`
      )
  }

  /** The next entry. @returns it, unless it cannot be read */
  add(bytes: Uint8Array): AuditEntry | undefined {
    const expected = this.last + 1
    const before = this.#hashes.at(-1)!
    let entry: AuditEntry
    try {
      entry = decode(AUDIT_ENTRY, bytes)
    } catch {
      this.#fault(expected, 'malformed', `entry ${expected} cannot be read`)
      this.#hashes.push(entryHash(before, bytes))
      return undefined
    }
    const { sequence, previous } = entry
    if (sequence !== expected) {
      this.#fault(expected, 'missing', `in the place of entry ${expected} there is entry ${sequence}`)
      // goes on behind a gap, so that each fault is told once; what comes twice or too early has no place
      if (sequence < expected || sequence - expected > MAX_ENTRIES) return entry
      for (let gone = expected; gone < sequence; gone++) this.#hashes.push(previous)
    } else if (!equalBytes(previous, before)) {
      const [what, where] =
        expected === this.#first ? ['what came before', 0] : [`entry ${expected - 1}`, expected - 1]
      this.#fault(Number(where), 'changed', `${what} is not what entry ${expected} was chained to`)
    }
    this.#hashes.push(entryHash(previous, bytes))
    return entry
  }

  /** The node's signature over its end. After the last entry. */
  end(bytes: Uint8Array): void {
    const head = this.#open(bytes, this.last)
    if (head === undefined) return
    this.#head = head
    if (head.sequence !== head.length || head.sequence !== this.last)
      this.#fault(this.last, 'missing', `the node signed ${head.length} entries, and there are ${this.last}`)
    else if (!equalBytes(head.hash, this.#hashes.at(-1)!))
      this.#fault(this.last, 'changed', `entry ${this.last}, the last, is not what the node signed`)
  }

  /** What somebody else holds of this log. It changes nothing: the caller decides whose word counts. */
  compare(bytes: Uint8Array): HeadVerdict | undefined {
    let head: Head
    try {
      head = openHead(bytes, { networkId: this.#networkId })
    } catch {
      return undefined // because what does not verify was not said
    }
    if (head.peerId !== this.#peerId) return undefined
    const { sequence } = head
    const own = this.#head
    if (own !== undefined && head.length > own.length && head.atMs < own.atMs)
      return {
        sequence: own.length,
        reason: 'shortened',
        message: `there were ${head.length} entries, and later ${own.length}`
      }
    if (sequence > this.last) return 'newer'
    if (sequence < this.#first - 1) return 'older'
    if (!equalBytes(head.hash, this.#hashes[sequence - this.#first + 1]!))
      return {
        sequence,
        reason: 'contradicted',
        message: `up to entry ${sequence} the log is not what the node signed before`
      }
    if (own !== undefined && contradict(own, head))
      return {
        sequence,
        reason: 'contradicted',
        message: `the node signed that its log had ${head.length} entries at another time`
      }
    return 'agrees'
  }

  #open(bytes: Uint8Array, sequence: number): Head | undefined {
    try {
      const head = openHead(bytes, { networkId: this.#networkId })
      if (head.peerId === this.#peerId) return head
      this.#fault(sequence, 'head', 'the head of the log is signed by somebody else')
    } catch (thrown) {
      this.#fault(sequence, 'head', `the head of the log is not valid: ${toError(thrown).message}`)
    }
    return undefined
  }

  #fault(sequence: number, reason: AuditFault['reason'], message: string): void {
    this.faults.push({ sequence, reason, message })
  }
}
