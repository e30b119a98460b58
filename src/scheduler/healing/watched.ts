import { AVOID_MS, STARTING_MS } from '../constants.ts'

/** What a keeper remembers of a manifest between two looks. Lost with the process: leases tell the truth again soon. */
export class Watched {
  /** Copies that some node runs or is about to run, as whoever assigned them said. */
  readonly #pending = new Map<number, { peerId: string; sinceMs: number }>()
  readonly #avoid = new Map<string, { untilMs: number; times: number; why: string }>()
  /** The version that some copy was seen running of. */
  liveVersion = 0
  /** What is wrong, and since when; undefined: all is as it should be. */
  #wrong: { readonly what: string; readonly sinceMs: number } | undefined
  /** Not looked at again before this, because the last attempt found no node. */
  restUntilMs = 0
  rests = 0
  isBusy = false

  /** Something is wrong. What was wrong before, and is another matter, does not count. @returns since when */
  wrong(what: string, nowMs: number): number {
    if (this.#wrong?.what !== what) this.#wrong = { what, sinceMs: nowMs }
    return this.#wrong.sinceMs
  }

  right(): void {
    this.#wrong = undefined
    this.rests = 0
  }

  /** @param ordinals copies that the node runs or is about to run */
  expect(peerId: string, ordinals: readonly number[], nowMs: number): void {
    for (const ordinal of ordinals) this.#pending.set(ordinal, { peerId, sinceMs: nowMs })
  }

  /** Who is about to run it, and whether it should have shown by now. */
  pending(ordinal: number, nowMs: number): { readonly peerId: string; readonly isLate: boolean } | undefined {
    const entry = this.#pending.get(ordinal)
    return entry && { peerId: entry.peerId, isLate: nowMs - entry.sinceMs >= STARTING_MS }
  }

  /** @param peerId only when it is this one that is to run it */
  forget(ordinal: number, peerId?: string): void {
    if (peerId === undefined || this.#pending.get(ordinal)?.peerId === peerId) this.#pending.delete(ordinal)
  }

  /** A node did not start a copy: others are tried first, for longer each time. */
  failed(peerId: string, why: string, nowMs: number): void {
    const times = (this.#avoid.get(peerId)?.times ?? 0) + 1
    const forMs = Math.min(AVOID_MS.last, AVOID_MS.first * 2 ** (times - 1))
    this.#avoid.set(peerId, { untilMs: nowMs + forMs, times, why })
  }

  /** Nodes not to be taken now, with the reason. */
  avoid(nowMs: number): Map<string, string> {
    const now = [...this.#avoid].filter(([, { untilMs }]) => untilMs > nowMs)
    return new Map(now.map(([peerId, { why, times }]) => [peerId, `did not start it ${times} times: ${why}`]))
  }

  /** A new version: what failed with the old one may work. */
  renew(): void {
    this.#avoid.clear()
    this.#pending.clear()
    this.restUntilMs = 0
    this.rests = 0
  }

  /** Nothing fits: waits longer each time. */
  rest(nowMs: number): void {
    this.restUntilMs = nowMs + Math.min(AVOID_MS.last, (AVOID_MS.first / 5) * 2 ** this.rests++)
  }
}
