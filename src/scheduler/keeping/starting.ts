import { equalBytes, withDeadline } from '../../common/index.ts'
import { ASK_TIMEOUT_MS, KEEPERS, SPARE_KEEPERS } from '../constants.ts'
import { isGone } from '../healing/neighbours.ts'
import type { CheckedRecord, Kept, Neighbour, World } from '../types.ts'
import { Claims } from './claims.ts'
import type { KeptTable } from './kept-table.ts'

export interface StartingInit {
  readonly world: World
  readonly kept: KeptTable
  readonly check: (bytes: Uint8Array) => CheckedRecord
  /** Members that count, nearest to the manifest first. */
  readonly ranked: (manifestId: Uint8Array) => readonly Neighbour[]
  /** @param ordinals copies that a node is about to run */
  readonly onKept: (kept: Kept, from: string, ordinals: readonly number[]) => void
  readonly signal: AbortSignal
}

/** Says to the keepers which copies a node is about to run, and remembers what others said: no lease shows it yet. */
export class Starting {
  readonly #init: StartingInit
  readonly #claims = new Claims()

  constructor(init: StartingInit) {
    this.#init = init
  }

  /** Somebody said with a version which copies of it a node is about to run. */
  note(record: CheckedRecord, ordinals: readonly number[], from: string, isResuming = false): void {
    this.#claims.note(record, ordinals, { peerId: from, atMs: this.#init.world.now(), isResuming })
  }

  /** The same of a version that is kept here already. */
  expect(record: CheckedRecord, from: string, ordinals: readonly number[], isResuming = false): void {
    const mine = this.#init.kept.get(record.manifestId)
    if (mine === undefined || ordinals.length === 0 || !equalBytes(mine.record.digest, record.digest)) return
    this.#init.onKept(mine, from, ordinals)
    this.note(mine.record, ordinals, from, isResuming)
  }

  /** This node is about to run copies that a keeper asked it for: the other keepers hear so, and do not ask yet another one. */
  tell(record: CheckedRecord, bytes: Uint8Array, ordinals: readonly number[]): void {
    const { world, ranked, signal } = this.#init
    for (const { self, peerId } of ranked(record.manifestId).slice(0, KEEPERS + SPARE_KEEPERS)) {
      if (self) this.expect(record, peerId, ordinals)
      else {
        const limit = { signal: withDeadline(ASK_TIMEOUT_MS, signal) }
        world.asks.keep(peerId, { record: bytes, ordinals: [...ordinals] }, limit).catch(() => {}) // it sees the lease soon
      }
    }
  }

  /** This node would start copies again that it had. @returns those that others are about to run, as far as is known here */
  claim(bytes: Uint8Array, ordinals: readonly number[]): number[] {
    try {
      return this.resume(this.#init.check(bytes), this.#init.world.key.peerId, ordinals)
    } catch {
      return [] // because what its owner may not apply any more nobody else starts either
    }
  }

  /** Those of the copies that another node told of since: it was quicker. */
  begunElsewhere(record: CheckedRecord, ordinals: readonly number[], sinceMs: number): number[] {
    return this.#claims.begunSince(record, ordinals, this.#init.world.key.peerId, sinceMs)
  }

  /** A node that was away would start copies again. @returns those that others are about to run; it gets the rest */
  resume(record: CheckedRecord, from: string, ordinals: readonly number[]): number[] {
    const { world, ranked } = this.#init
    if (record.perNode) return []
    const taken = this.#claims.taken(record, ordinals, {
      from,
      nowMs: world.now(),
      isNearest: ranked(record.manifestId)[0]?.self === true,
      isGone: (peerId) => isGone(world, peerId)
    })
    const given = ordinals.filter((one) => !taken.includes(one))
    this.expect(record, from, given, true)
    return taken
  }
}
