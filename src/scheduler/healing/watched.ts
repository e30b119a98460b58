import {
  ASK_INTERVAL_MS,
  AVOID_MS,
  STARTING_MS,
  UNHEARD_ASK_MS,
  UNSETTLED_ASK_INTERVAL_MS,
  UNSETTLED_MS,
  UPDATE_PATIENCE_MS
} from '../constants.ts'
import type { Around } from './around.ts'

/** What a keeper remembers of a manifest between two looks. Lost with the process: leases tell the truth again soon. */
export class Watched {
  /** Copies that some node runs or is about to run, as whoever assigned them said. */
  readonly #pending = new Map<number, { peerId: string; sinceMs: number }>()
  /** When a copy was last heard of that runs or is to run. */
  readonly #seen = new Map<number, number>()
  /** The last node that each copy was on or meant for, whatever its version: where one that stays with its node has what it wrote. */
  readonly #homes = new Map<number, string>()
  readonly #avoid = new Map<string, { untilMs: number; times: number; why: string }>()
  /** The newest version that was brought. */
  #version = 0
  /** The version that some copy was seen running of. */
  liveVersion = 0
  /** The version that whoever may know was asked about. */
  confirmedVersion = 0
  /** Since when something is wrong; undefined: all is as it should be. */
  wrongSinceMs: number | undefined
  /** Not looked at again before this, because the last attempt found no node. */
  restUntilMs = 0
  rests = 0
  isBusy = false
  #missing = ''
  /** When members came or went last. */
  #changedMs = 0
  #asked = { alive: '', meetings: 0, atMs: 0 }
  /** Times in a row that some who were asked gave no answer. */
  #unheard = 0
  #outdated = 0
  #progressMs = 0
  #isUpdating = false

  /**
   * Whether nodes with an older version are to be brought the newest: not while whoever applied it goes from node to node.
   * @param keptAtMs since when the newest version is known here
   */
  mayUpdate(outdated: number, keptAtMs: number, nowMs: number): boolean {
    if (outdated !== this.#outdated) this.#progressMs = nowMs
    this.#outdated = outdated
    const isFresh = nowMs - keptAtMs < 2 * UPDATE_PATIENCE_MS
    this.#isUpdating ||= !isFresh || nowMs - Math.max(keptAtMs, this.#progressMs) >= UPDATE_PATIENCE_MS
    return outdated > 0 && this.#isUpdating
  }
  /** Of a deleted Job or CronJob: nodes that were told, which no lease says. */
  readonly buried = new Set<string>()

  /** @param ordinals copies that the node runs or is about to run */
  expect(peerId: string, ordinals: readonly number[], nowMs: number): void {
    for (const ordinal of ordinals) {
      this.#pending.set(ordinal, { peerId, sinceMs: nowMs })
      this.#seen.set(ordinal, nowMs)
      this.#homes.set(ordinal, peerId)
    }
  }

  /**
   * Whether no node can have a copy, nor what it wrote: nobody was told to start one since this version was brought. A keeper that was away
   * then does not know.
   */
  isHomeless(ordinal: number, version: number): boolean {
    return this.#version === version && !this.#homes.has(ordinal)
  }

  /** A copy runs. One of an older version does not hide who is about to run it in the newest. */
  runs(peerId: string, ordinal: number, { isNewest, nowMs }: { isNewest: boolean; nowMs: number }): void {
    if (isNewest || !this.#pending.has(ordinal)) {
      this.#pending.set(ordinal, { peerId, sinceMs: nowMs })
      this.#homes.set(ordinal, peerId)
    }
    this.#seen.set(ordinal, nowMs)
  }

  /** Who is about to run it, and whether it should have shown by now. */
  pending(
    ordinal: number,
    nowMs: number
  ): { readonly peerId: string; readonly forMs: number; readonly isLate: boolean } | undefined {
    const entry = this.#pending.get(ordinal)
    if (entry === undefined) return undefined
    const forMs = nowMs - entry.sinceMs
    return { peerId: entry.peerId, forMs, isLate: forMs >= STARTING_MS }
  }

  /** Nodes that run copies or are about to, as far as was told. */
  pendingNodes(): string[] {
    return [...new Set([...this.#pending.values()].map(({ peerId }) => peerId))]
  }

  /** How long nothing was heard of a copy; since this process watches when never was. */
  unseenMs(ordinal: number, nowMs: number): number {
    if (!this.#seen.has(ordinal)) this.#seen.set(ordinal, nowMs)
    return nowMs - this.#seen.get(ordinal)!
  }

  forget(ordinal: number): void {
    this.#pending.delete(ordinal)
    this.#homes.delete(ordinal)
  }

  /**
   * Since when it is as wrong as now: another copy that is missing is another matter, whatever was wrong before it.
   * @param missing copies, each with what is known of who was to run it
   */
  wrongSince(missing: readonly string[], nowMs: number): number {
    const what = missing.join()
    if (what !== this.#missing) this.wrongSinceMs = undefined
    this.#missing = what
    this.wrongSinceMs ??= nowMs
    return this.wrongSinceMs
  }

  /**
   * Whether everybody is to be asked who runs it although all seems well: nobody tells a keeper of copies that it has never heard of, such
   * as those of the other side of a partition, or of a node that others alone could reach. When members came or went nothing rests any more
   * either.
   */
  isDue({ alive, meetings }: Pick<Around, 'alive' | 'meetings'>, nowMs: number): boolean {
    if (alive !== this.#asked.alive) {
      this.restUntilMs = 0
      this.rests = 0
      this.#changedMs = nowMs
    }
    const isNews = alive !== this.#asked.alive || meetings !== this.#asked.meetings
    if (isNews) this.#unheard = 0
    const usual = nowMs - this.#changedMs < UNSETTLED_MS ? UNSETTLED_ASK_INTERVAL_MS : ASK_INTERVAL_MS
    const interval = this.#unheard === 0 ? usual : Math.min(usual, UNHEARD_ASK_MS * 2 ** (this.#unheard - 1))
    return isNews || nowMs - this.#asked.atMs >= interval
  }

  /** Everybody was asked. @param unheard how many of them gave no answer */
  heard(unheard: number): void {
    this.#unheard = unheard === 0 ? 0 : Math.min(this.#unheard + 1, 16)
  }

  asked({ alive, meetings }: Pick<Around, 'alive' | 'meetings'>, atMs: number): void {
    this.#asked = { alive, meetings, atMs }
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

  /**
   * A version is kept: if it is a new one, what failed with the old one may work. Every node that runs a part of it brings it, and what the
   * others of them said stays true.
   */
  renew(version: number): void {
    if (version <= this.#version) return
    this.#version = version
    this.#avoid.clear()
    this.#pending.clear()
    this.#isUpdating = false
    this.restUntilMs = 0
    this.rests = 0
  }

  /** Nothing fits: waits longer each time. */
  rest(nowMs: number): void {
    this.restUntilMs = nowMs + Math.min(AVOID_MS.last, (AVOID_MS.first / 5) * 2 ** this.rests++)
  }
}
