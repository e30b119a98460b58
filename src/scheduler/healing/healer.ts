import { toError, toHex, withDeadline } from '../../common/index.ts'
import {
  CONCURRENCY,
  CONFIRM_TIMEOUT_MS,
  FRESH_MS,
  KEEPERS,
  OFFER_PATIENCE_MS,
  RANK_DELAY_MS,
  SPARE_KEEPERS
} from '../constants.ts'
import { toldOf } from '../facts/past.ts'
import { Telling } from '../facts/telling.ts'
import type { Keeping } from '../keeping/keeping.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import { Scaler } from '../scale/scaler.ts'
import type { CheckedRecord, Healed, Kept, Lease, World } from '../types.ts'
import { Around } from './around.ts'
import { type Count, countCopies, isRight } from './count.ts'
import { isGone } from './neighbours.ts'
import { nodesFor } from './nodes-for.ts'
import { Repairing } from './repairing.ts'
import { seeCopies } from './see-copies.ts'
import { Watched } from './watched.ts'

export interface HealerInit {
  readonly world: World
  readonly kept: KeptTable
  readonly keeping: Keeping
  readonly signal: AbortSignal
}

/**
 * As a keeper: sees that what owners want runs, and nothing else. The nearest live keeper acts at once, the others each a little later and
 * only when nothing happened: who acts is no matter of agreement, because whoever is asked looks for itself.
 */
export class Healer {
  readonly #init: HealerInit
  readonly #watched = new Map<string, Watched>()
  readonly #healed: Healed[] = []
  readonly #around = new Around()
  readonly #telling: Telling
  readonly #scaler: Scaler
  readonly #repairing: Repairing

  constructor(init: HealerInit) {
    this.#init = init
    this.#telling = new Telling(init)
    this.#scaler = new Scaler(init.world)
    this.#repairing = new Repairing({
      ...init,
      scaler: this.#scaler,
      sinceMs: init.world.now(),
      tell: (...told) => this.#tell(...told)
    })
  }

  /** What was done lately, oldest first. */
  recent(): readonly Healed[] {
    return this.#healed
  }

  /** A version was brought by a node that runs these copies or is about to. */
  noteKept({ record }: Kept, from: string, ordinals: readonly number[]): void {
    const watched = this.#watch(record.manifestId)
    watched.renew(record.version)
    watched.expect(from, ordinals, this.#init.world.now())
  }

  /** A keeper takes this node for one that has a part in it. */
  tellAgain(manifestId: Uint8Array): void {
    this.#telling.again(manifestId)
  }

  /** Looks at everything kept here. */
  async look(): Promise<void> {
    this.#around.look(this.#init.world.neighbours())
    void this.#telling.look()
    this.#scaler.tidy(this.#init.kept)
    const waiting = this.#init.kept.all()
    const work = async () => {
      for (let kept = waiting.shift(); kept !== undefined; kept = waiting.shift())
        await this.#lookSafely(kept)
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, work))
  }

  async #lookSafely(kept: Kept): Promise<void> {
    const watched = this.#watch(kept.record.manifestId)
    if (watched.isBusy) return
    watched.isBusy = true
    try {
      await this.#offer(kept)
      const { manifestId } = kept.record
      const now = () => `${this.#init.kept.get(manifestId)?.record.version} ${this.#around.alive}`
      // because a death or a version that comes to be known in the middle of a look would else wait for the look after the next
      for (let seen = ''; seen !== now() && !this.#init.signal.aborted; ) {
        seen = now()
        const current = this.#init.kept.get(manifestId)
        if (current !== undefined) await this.#lookAt(current, watched)
      }
    } catch (error) {
      this.#init.world.log('%s: %s', toHex(kept.record.manifestId).slice(0, 16), toError(error).message)
    } finally {
      watched.isBusy = false
    }
  }

  /** What its keepers know is better heard first, but one that is silent, and not known to be dead yet, must not hold up the look. */
  async #offer(kept: Kept): Promise<void> {
    const { world, keeping, signal } = this.#init
    const offering = keeping.offer(kept)
    if (offering === undefined) return
    const stop = new AbortController()
    const patience = { signal: AbortSignal.any([signal, stop.signal]) }
    const offered = offering.catch((error: unknown) => world.log('not offered: %s', toError(error).message))
    await Promise.race([offered, world.delay(OFFER_PATIENCE_MS, patience).catch(() => {})])
    stop.abort()
  }

  async #lookAt(kept: Kept, watched: Watched): Promise<void> {
    const { world, keeping } = this.#init
    const { record } = kept
    const ranks = keeping.ranked(record.manifestId)
    const place = ranks.findIndex(({ self }) => self)
    if (place < 0 || place >= KEEPERS + SPARE_KEEPERS || record.notAfter <= world.now()) return
    // two who decide would undo what the other does
    if (place > 0) this.#scaler.leave(record)
    const scaled = place === 0 ? await this.#scaler.decide(record, this.#init.signal) : undefined
    if (scaled !== undefined) this.#tell(record, 'scaled', scaled)
    const seen = this.#count(record, world.leased(record.manifestId), watched)
    if (record.tombstone) await this.#repairing.buryUnleased(kept, watched)
    const nowMs = world.now()
    const isDue = watched.isDue(this.#around, nowMs) && place === 0
    // because a keeper that was never told who runs it takes nothing running for nothing wrong
    const isUnseen = seen.live.length === 0 && watched.confirmedVersion < record.version
    if (isRight(seen) && !isUnseen) {
      watched.wrongSinceMs = undefined
      watched.rests = 0
      if (!isDue) return
    } else if (this.#isFresh(kept, watched, seen)) {
      watched.wrongSince(this.#awaited(kept, watched, seen), nowMs)
      return
    }
    if (nowMs < watched.restUntilMs) return
    watched.asked(this.#around, nowMs)
    // because a lease may only be unknown here: whoever may know is asked before anything is done
    const signal = withDeadline(CONFIRM_TIMEOUT_MS, this.#init.signal)
    const leases = await seeCopies(world, record.manifestId, {
      signal,
      likely: this.#likely(record, watched),
      enough: (found) => !isDue && isRight(this.#count(record, found, watched))
    })
    if (isDue) watched.heard(world.unheard?.(record.manifestId) ?? 0)
    // a newer version came meanwhile: what was found is to be seen in its light
    if (this.#init.kept.get(record.manifestId)?.record.version !== record.version) return
    const count = this.#count(record, leases, watched)
    watched.confirmedVersion = record.version
    if (isRight(count)) {
      watched.wrongSinceMs = undefined
      return
    }
    // each waits for its turn from when it knows: what was unknown here before is not what goes wrong a moment later
    if (nowMs - watched.wrongSince(this.#awaited(kept, watched, count), nowMs) < place * RANK_DELAY_MS) return
    if (record.tombstone) return this.#repairing.bury(kept, count.live)
    await this.#repairing.update(kept, watched, count)
    await this.#repairing.drain(kept, count, this.#scaler.wanted(record, leases))
    if (count.missing.length > 0) await this.#repairing.replace(kept, watched, count)
  }

  /** Who is thought to run it, though no lease says so. */
  #likely(record: CheckedRecord, watched: Watched): string[] {
    const { world } = this.#init
    const leased = new Set(world.leased(record.manifestId).map(({ peerId }) => peerId))
    // where each node has one they are too many for a search to find
    const nodes = record.perNode ? nodesFor(record, world).wanted : watched.pendingNodes()
    return nodes.filter((peerId) => !leased.has(peerId) && !isGone(world, peerId))
  }

  #awaited(kept: Kept, watched: Watched, { missing }: Count): string[] {
    return missing.map((one) => `${one} ${this.#repairing.isAwaited(kept, watched, one)}`)
  }

  /** Whether all that is wrong are copies that were given to nodes a moment ago. */
  #isFresh(kept: Kept, watched: Watched, { missing, outdated, surplus }: Count): boolean {
    const { perNode, tombstone } = kept.record
    if (perNode || tombstone || outdated.length > 0 || surplus.length > 0) return false
    const nowMs = this.#init.world.now()
    return missing.every((ordinal) => {
      const pending = watched.pending(ordinal, nowMs)
      if (pending === undefined) return nowMs - kept.keptAtMs < FRESH_MS
      return pending.forMs < FRESH_MS && !isGone(this.#init.world, pending.peerId)
    })
  }

  #count(record: CheckedRecord, leases: readonly Lease[], watched: Watched): Count {
    const { world, kept } = this.#init
    const told = toldOf(record, kept.facts.of(record.manifestId), world.neighbours())
    const replicas = this.#scaler.wanted(record, leases)
    const count = countCopies(
      { ...record, replicas },
      leases,
      record.perNode ? nodesFor(record, world) : undefined,
      told
    )
    for (const { version, peerId, ordinal } of count.live) {
      const isNewest = version === record.version
      if (isNewest) watched.liveVersion = record.version
      if (!record.perNode) watched.runs(peerId, ordinal, { isNewest, nowMs: world.now() })
    }
    return count
  }

  #watch(manifestId: Uint8Array): Watched {
    const key = toHex(manifestId)
    const known = this.#watched.get(key) ?? new Watched()
    this.#watched.set(key, known)
    for (const one of this.#watched.size > 2 * this.#init.kept.all().length + 64 ? this.#watched.keys() : [])
      if (!this.#init.kept.all().some(({ record }) => toHex(record.manifestId) === one))
        this.#watched.delete(one)
    return known
  }

  #tell(record: CheckedRecord, action: Healed['action'], detail: string): void {
    this.#init.world.log('%s %s: %s', action, toHex(record.manifestId).slice(0, 16), detail)
    this.#healed.push({ atMs: this.#init.world.now(), manifestId: record.manifestId, action, detail })
    if (this.#healed.length > 256) this.#healed.shift()
  }
}
