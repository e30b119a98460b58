import { toError, toHex } from '../../common/index.ts'
import type { FencedCopy, FenceLease, StoredManifest, StoredWorkload } from '../../workloads/index.ts'
import {
  FENCE_HOLD_MS,
  FENCE_LEASE_MS,
  FENCE_MIN_LEFT_MS,
  FENCE_PACE_MS,
  FENCE_RENEW_MS,
  FENCE_RETRY_MS,
  FENCE_START_WAIT_MS,
  FENCE_YIELD_MS
} from '../constants.ts'
import { SchedulerError } from '../errors.ts'
import { AskingKeepers, type AskingKeepersInit } from './asking-keepers.ts'
import { type Fence, fenceOfRelease } from './fence.ts'
import { HeldCopy } from './held-copy.ts'

export type FencingInit = AskingKeepersInit

const DOES_WORK: ReadonlySet<string> = new Set(['running', 'ready'])

/**
 * As a node that runs fenced copies: asks their keepers before one starts and for as long as it runs, and stops it when a majority has not
 * said yes for a lease. Stands apart from the guard, which does the same by force when this process cannot.
 */
export class Fencing {
  readonly #init: FencingInit
  readonly #copies = new Map<string, HeldCopy>()
  readonly #asking: AskingKeepers
  readonly #startedAtMs: number
  /** Copies that something is being done about. */
  readonly #busy = new Set<string>()

  constructor(init: FencingInit) {
    this.#init = init
    this.#asking = new AskingKeepers(init)
    this.#startedAtMs = init.clock()
  }

  /** What ran before this process did goes on under the lease that the guard knows. */
  async open(): Promise<void> {
    const { world } = this.#init
    for (const { stored, copy, fence } of this.#stored()) {
      if (!DOES_WORK.has(copy.state)) continue
      // what is to be stopped in order had nobody to do it meanwhile: it is asked for before it is judged
      const inheritedMs = fence.byGuard
        ? await world.workloads.guardedUntil(copy.workloadId)
        : this.#startedAtMs + FENCE_MIN_LEFT_MS
      const key = keyOf(stored.manifestId, copy.ordinal)
      if (this.#copies.has(key)) continue // its start is under way
      const bounded = Math.min(inheritedMs ?? Number.NEGATIVE_INFINITY, this.#startedAtMs + FENCE_LEASE_MS)
      this.#copies.set(key, new HeldCopy(stored.manifestId, copy.ordinal, fence, bounded))
      // because until now it was not known to be held, so nobody was told that it runs
      const lease = { untilMs: bounded, byGuard: fence.byGuard, isNew: true }
      if (bounded > this.#startedAtMs)
        await world.workloads.extend(stored.manifestId, copy.ordinal, lease).catch((error: unknown) => {
          world.log.error('a fenced copy: %s', toError(error).message)
        })
    }
  }

  /** Whether a copy counts as running: nobody has to be asked, or a majority has said yes. */
  isHeld(manifestId: Uint8Array, ordinal: number): boolean {
    const { world, clock } = this.#init
    const stored = world.workloads.get(manifestId)
    if (stored === undefined || this.#newestFence(stored, ordinal) === undefined) return true
    const held = this.#copies.get(keyOf(manifestId, ordinal))
    return held !== undefined && held.untilMs > clock()
  }

  /**
   * Resolves when a majority lets the copy run here. @returns until when; undefined: nobody has to be asked
   * @throws SchedulerError FENCED
   */
  async mayStart(
    { manifestId, version, ordinal }: FencedCopy,
    { signal }: { readonly signal: AbortSignal }
  ): Promise<FenceLease | undefined> {
    const { world, clock } = this.#init
    const stored = world.workloads.get(manifestId)
    const release = [stored, stored?.next].find((one) => one?.version === version)
    const fence = release && fenceOfRelease(release, world.networkId)
    if (fence === undefined) return undefined
    const held = this.#held(manifestId, ordinal, fence)
    held.fence = fence
    held.starting++
    try {
      const endMs = clock() + FENCE_START_WAIT_MS
      // who is said to run it after that has renewed it meanwhile, so it is no use to wait
      const renewedMs = clock() + FENCE_LEASE_MS
      for (;;) {
        const asked = this.#asking.askAll(held)
        const isEnough = await this.#enough(held, asked, signal)
        if (isEnough) return { untilMs: held.untilMs, byGuard: fence.byGuard }
        if (clock() >= endMs || (clock() > renewedMs && held.isElsewhere)) throw refused(held)
        const pauseMs = await this.#yield(held)
        await world.delay(this.#retryMs() + pauseMs, { signal })
      }
    } finally {
      held.starting--
    }
  }

  /** One round: every second. */
  async look(): Promise<void> {
    const { clock, world } = this.#init
    const seen = new Set<string>()
    for (const { stored, copy, fence } of this.#stored()) {
      const key = keyOf(stored.manifestId, copy.ordinal)
      seen.add(key)
      const held = this.#held(stored.manifestId, copy.ordinal, fence)
      if (held.fence.version < fence.version) held.fence = fence
      // first what is over, so that one who was asleep does not take what it has missed for granted
      if (DOES_WORK.has(copy.state) && held.untilMs <= clock())
        this.#once(key, () => world.workloads.fence(stored.manifestId, copy.ordinal))
      else if (copy.fenced === true) this.#bringBack(key, held)
      // one whose turn to start has not come leaves it to others: mayStart asks for it
      if (!DOES_WORK.has(copy.state) && copy.fenced !== true && held.untilMs <= clock()) continue
      const isDue = clock() - held.askedAtMs >= (copy.fenced === true ? this.#retryMs() : FENCE_RENEW_MS)
      if (!isDue) continue
      const asked = Promise.allSettled(this.#asking.askAll(held))
      if (copy.fenced === true) void asked.then(() => this.#yield(held))
    }
    for (const [key, held] of this.#copies)
      if (!seen.has(key) && held.starting === 0) {
        this.#copies.delete(key)
        void this.#asking.release(held)
      }
  }

  /**
   * Lets go of what a minority of keepers has granted when others have granted it to another node: else each would renew its part and
   * neither ever run the copy. Not before what ran by a lease of before, of an earlier process too, must be dead: a keeper gives a copy that
   * was let go to another node at once. No grant may be on its way, because it would count although it was let go.
   * @returns for how long to leave it to the other, ms; drawn, so that both do not come back at once
   */
  async #yield(held: HeldCopy): Promise<number> {
    const { clock, world } = this.#init
    const nowMs = clock()
    const overMs = Math.max(held.untilMs, this.#startedAtMs + FENCE_LEASE_MS) + FENCE_HOLD_MS - FENCE_LEASE_MS
    const stored = world.workloads.get(held.manifestId)
    const all = [...(stored?.workloads ?? []), ...(stored?.next?.workloads ?? [])]
    const runs = all.some(({ ordinal, state }) => ordinal === held.ordinal && DOES_WORK.has(state))
    if (runs || nowMs < overMs || held.asking.size > 0 || !held.isSplit(nowMs)) return 0
    const pauseMs = FENCE_YIELD_MS * world.random()
    held.askedAtMs = nowMs + pauseMs
    await this.#asking.release(held)
    return pauseMs
  }

  /** A copy that was stopped starts again when it may; when another node runs it, it is over here. */
  #bringBack(key: string, held: HeldCopy): void {
    const { world, clock } = this.#init
    const { manifestId, ordinal } = held
    if (held.untilMs - clock() >= FENCE_MIN_LEFT_MS)
      this.#once(key, () => world.workloads.unfence(manifestId, ordinal))
    else if (held.isElsewhere) this.#once(key, () => world.workloads.drop(manifestId, [ordinal]))
  }

  /** Not waited for, because the manifest may be busy, and others are not to wait for it. */
  #once(key: string, act: () => Promise<void>): void {
    if (this.#busy.has(key)) return
    this.#busy.add(key)
    void act()
      .catch((error: unknown) => this.#init.world.log.error('a fenced copy: %s', toError(error).message))
      .finally(() => this.#busy.delete(key))
  }

  /** Fenced copies of what is held here, a version under way included. Stopped ones have made room for another. */
  *#stored(): Generator<{ stored: StoredManifest; copy: StoredWorkload; fence: Fence }> {
    const { world } = this.#init
    for (const stored of world.workloads.list())
      for (const release of stored.next === undefined ? [stored] : [stored, stored.next]) {
        const fence = fenceOfRelease(release, world.networkId)
        if (fence === undefined) continue
        for (const copy of release.workloads) if (copy.state !== 'stopped') yield { stored, copy, fence }
      }
  }

  #newestFence(stored: StoredManifest, ordinal: number): Fence | undefined {
    if (stored.tombstone) return undefined
    const has = (release: Pick<StoredManifest, 'workloads'>) =>
      release.workloads.some((copy) => copy.ordinal === ordinal)
    const releases = [stored.next, stored].filter((one) => one !== undefined && has(one))
    const { networkId } = this.#init.world
    return releases.map((one) => fenceOfRelease(one!, networkId)).find((one) => one !== undefined)
  }

  /** Less often with many, because a keeper hears a node no more often than its budget allows. */
  #retryMs(): number {
    return Math.max(FENCE_RETRY_MS, this.#copies.size * FENCE_PACE_MS)
  }

  #held(manifestId: Uint8Array, ordinal: number, fence: Fence): HeldCopy {
    const key = keyOf(manifestId, ordinal)
    const held = this.#copies.get(key) ?? new HeldCopy(manifestId, ordinal, fence)
    this.#copies.set(key, held)
    return held
  }

  /** Resolves as soon as a majority has said yes, or all have answered. */
  async #enough(held: HeldCopy, asked: readonly Promise<void>[], signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#init
    const isEnough = () => held.untilMs - clock() >= FENCE_MIN_LEFT_MS
    if (isEnough()) return true
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const one of asked) void one.then(() => isEnough() && resolve())
    await Promise.race([promise, Promise.all(asked)])
    signal.throwIfAborted()
    return isEnough()
  }
}

function keyOf(manifestId: Uint8Array, ordinal: number): string {
  return `${toHex(manifestId)} ${ordinal}`
}

function refused({ fence, refusals, ordinal }: HeldCopy): SchedulerError {
  const said = fence.keepers.map((one) => `${one.slice(-8)} ${refusals.get(one) ?? 'granted'}`).join(', ')
  const message = `copy ${ordinal} may not run here: fewer than ${fence.majority} of its ${fence.keepers.length} fence keepers agree (${said})`
  return new SchedulerError('FENCED', message, {
    retryable: true,
    details: { refusals: Object.fromEntries(refusals) },
    hint: 'Another node may still run it for some seconds, or too many of those that decide are away (when they are gone for good: beemesh apply --new-fence-keepers); see docs/MANIFESTS.md, "Fenced workloads".'
  })
}
