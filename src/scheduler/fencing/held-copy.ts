import type { Fence } from './fence.ts'

/** A fenced copy of this node, and what its keepers have said. */
export class HeldCopy {
  readonly manifestId: Uint8Array
  readonly ordinal: number
  #fence: Fence
  /** By keeper: until when it lets this node run the copy, counted from before it was asked. */
  readonly #grants = new Map<string, number>()
  /** By keeper: why it said no the last time. */
  readonly refusals = new Map<string, string>()
  /** Keepers that are being asked. */
  readonly asking = new Set<string>()
  /** Keepers that have seen the record. */
  readonly informed = new Set<string>()
  /** Starts that are under way: then it is wanted although nothing is written down of it yet. */
  starting = 0
  askedAtMs = Number.NEGATIVE_INFINITY
  /** Of the run of the daemon before this one. */
  #inheritedMs: number

  constructor(manifestId: Uint8Array, ordinal: number, fence: Fence, inheritedMs = Number.NEGATIVE_INFINITY) {
    this.manifestId = manifestId
    this.ordinal = ordinal
    this.#fence = fence
    this.#inheritedMs = inheritedMs
  }

  get fence(): Fence {
    return this.#fence
  }

  /** A newer version runs, or is to. Its owner may have named other keepers: only what those say counts. */
  set fence(fence: Fence) {
    if (fence.version === this.#fence.version) return
    const isSame = fence.keepers.every((one) => this.#fence.keepers.includes(one))
    if (!isSame || fence.keepers.length !== this.#fence.keepers.length)
      this.#inheritedMs = Number.NEGATIVE_INFINITY
    this.#fence = fence
    this.informed.clear()
  }

  granted(keeper: string, untilMs: number): void {
    this.refusals.delete(keeper)
    this.#grants.set(keeper, Math.max(untilMs, this.#grants.get(keeper) ?? 0))
  }

  refused(keeper: string, why: string): void {
    this.refusals.set(keeper, why) // what it has granted before holds until its end
  }

  /** Until when a majority lets it run. */
  get untilMs(): number {
    const { keepers, majority } = this.#fence
    const ends = keepers.map((one) => this.#grants.get(one) ?? Number.NEGATIVE_INFINITY).sort((a, b) => b - a)
    return Math.max(ends[majority - 1]!, this.#inheritedMs)
  }

  /** Whether so many keepers say that another node runs it that this one cannot. */
  get isElsewhere(): boolean {
    const { keepers, majority } = this.#fence
    return keepers.filter((one) => this.refusals.get(one) === 'HELD_ELSEWHERE').length >= majority
  }

  /** Whether some keepers let this node run it and some another one, so that neither has a majority while both renew what they have. */
  isSplit(nowMs: number): boolean {
    const { keepers } = this.#fence
    const has = (one: string) => (this.#grants.get(one) ?? Number.NEGATIVE_INFINITY) > nowMs
    return keepers.some(has) && keepers.some((one) => this.refusals.get(one) === 'HELD_ELSEWHERE')
  }

  forget(): void {
    this.#grants.clear()
    this.#inheritedMs = Number.NEGATIVE_INFINITY
  }
}
