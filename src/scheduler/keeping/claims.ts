import { toHex } from '../../common/index.ts'
import { MAX_KEPT, STARTING_MS } from '../constants.ts'
import type { CheckedRecord } from '../types.ts'

interface Claim {
  readonly peerId: string
  readonly atMs: number
  readonly isResuming: boolean
}

/**
 * Which nodes are about to run which copies, as keepers were told: no lease says so yet, and a node that comes back must not start them a
 * second time. Lost with the process; bounded, and each forgotten when the copy should have shown.
 */
export class Claims {
  readonly #claims = new Map<string, Claim>()

  note(
    record: CheckedRecord,
    ordinals: readonly number[],
    { isResuming = false, ...claim }: { peerId: string; atMs: number; isResuming?: boolean }
  ): void {
    for (const ordinal of ordinals) {
      const key = keyOf(record, ordinal)
      this.#claims.delete(key)
      this.#claims.set(key, { ...claim, isResuming })
      if (this.#claims.size > MAX_KEPT) this.#claims.delete(this.#claims.keys().next().value!)
    }
  }

  /**
   * Those of the copies that another node is about to run.
   * @param options.isNearest of two that would start again what they had the first one does: one keeper says so, because two might not agree
   * @param options.isGone of nodes of which nothing is to be expected any more
   */
  taken(
    record: CheckedRecord,
    ordinals: readonly number[],
    {
      from,
      nowMs,
      isNearest,
      isGone
    }: { from: string; nowMs: number; isNearest: boolean; isGone: (peerId: string) => boolean }
  ): number[] {
    return ordinals.filter((ordinal) => {
      const claim = this.#claims.get(keyOf(record, ordinal))
      if (claim === undefined || claim.peerId === from || nowMs - claim.atMs >= STARTING_MS) return false
      return (isNearest || !claim.isResuming) && !isGone(claim.peerId)
    })
  }

  /** Those of the copies that another node than `self` began to run after a moment. */
  begunSince(record: CheckedRecord, ordinals: readonly number[], self: string, sinceMs: number): number[] {
    return ordinals.filter((ordinal) => {
      const claim = this.#claims.get(keyOf(record, ordinal))
      return claim !== undefined && claim.peerId !== self && claim.atMs > sinceMs
    })
  }
}

function keyOf({ digest }: CheckedRecord, ordinal: number): string {
  return `${toHex(digest)} ${ordinal}`
}
