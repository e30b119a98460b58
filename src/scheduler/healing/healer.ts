import { toError, toHex, withDeadline } from '../../common/index.ts'
import {
  BACK_MS,
  CONCURRENCY,
  CONFIRM_TIMEOUT_MS,
  FENCE_HOLD_MS,
  FRESH_MS,
  KEEPERS,
  OFFER_PATIENCE_MS,
  RANK_DELAY_MS,
  SPARE_KEEPERS,
  STARTING_MS
} from '../constants.ts'
import { claims } from '../facts/fact.ts'
import { toldOf } from '../facts/past.ts'
import { Telling } from '../facts/telling.ts'
import { fenceOf } from '../fencing/fence.ts'
import type { Keeping } from '../keeping/keeping.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import { mostReplicas } from '../scale/bounds.ts'
import { Scaler } from '../scale/scaler.ts'
import type { CheckedRecord, Healed, Kept, Lease, World } from '../types.ts'
import { assignTo } from './assign-to.ts'
import { type Count, countCopies, isRight, type LiveCopy } from './count.ts'
import { isGone, nameOf } from './neighbours.ts'
import { nodesFor } from './nodes-for.ts'
import { placeCopies } from './place-copies.ts'
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
  readonly #sinceMs: number
  readonly #watched = new Map<string, Watched>()
  readonly #healed: Healed[] = []
  /** Who lives, as one text to compare. */
  #alive = ''
  readonly #telling: Telling
  readonly #scaler: Scaler

  constructor(init: HealerInit) {
    this.#init = init
    this.#sinceMs = init.world.now()
    this.#telling = new Telling(init)
    this.#scaler = new Scaler(init.world)
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
    const live = this.#init.world.neighbours().filter(({ state }) => state === 'alive')
    this.#alive = live
      .map(({ peerId }) => peerId)
      .sort()
      .join()
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
      const now = () => `${this.#init.kept.get(manifestId)?.record.version} ${this.#alive}`
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
    const scaled = place === 0 ? await this.#scaler.decide(record, this.#init.signal) : undefined
    if (scaled !== undefined) this.#tell(record, 'scaled', scaled)
    const seen = this.#count(record, world.leased(record.manifestId), watched)
    if (record.tombstone) await this.#buryUnleased(kept, watched)
    const nowMs = world.now()
    const isDue = watched.isDue(this.#alive, nowMs) && place === 0
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
    watched.asked(this.#alive, nowMs)
    // because a lease may only be unknown here: whoever may know is asked before anything is done
    const signal = withDeadline(CONFIRM_TIMEOUT_MS, this.#init.signal)
    const leases = await seeCopies(world, record.manifestId, {
      signal,
      likely: watched.pendingNodes().filter((peerId) => !isGone(world, peerId)),
      enough: (found) => !isDue && isRight(this.#count(record, found, watched))
    })
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
    if (record.tombstone) return this.#bury(kept, count.live)
    await this.#update(kept, watched, count)
    await this.#drain(kept, count, this.#scaler.wanted(record, leases))
    if (count.missing.length > 0) await this.#replace(kept, watched, count)
  }

  #awaited(kept: Kept, watched: Watched, { missing }: Count): string[] {
    return missing.map((one) => `${one} ${this.#isAwaited(kept, watched, one)}`)
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
      record.perNode ? nodesFor(record, world) : [],
      told
    )
    for (const { version, peerId, ordinal } of count.live) {
      const isNewest = version === record.version
      if (isNewest) watched.liveVersion = record.version
      if (!record.perNode) watched.runs(peerId, ordinal, { isNewest, nowMs: world.now() })
    }
    return count
  }

  /** Starts what is missing on other nodes. */
  async #replace(kept: Kept, watched: Watched, count: Count): Promise<void> {
    const { world, signal } = this.#init
    const { record } = kept
    const nowMs = world.now()
    const wanted: number[] = []
    for (const ordinal of new Set(count.missing))
      if (this.#mayReplace(kept, watched, ordinal) && (await this.#isLost(kept, watched, ordinal)))
        wanted.push(ordinal)
    if (wanted.length === 0) return
    const avoid = watched.avoid(nowMs)
    world.log('copies %s are missing: asking for bids', wanted.join())
    const made = await placeCopies(world, record, { ordinals: wanted, avoid, signal })
    if (made.unplaced.length > 0) {
      watched.rest(nowMs)
      this.#tell(record, 'nothing-fits', made.summary)
    }
    // a node that came back while bids were awaited has asked for what it had
    const open = made.assignments.filter(({ ordinal }) => !this.#isAwaited(kept, watched, ordinal))
    const byNode = Map.groupBy(open, ({ peerId }) => peerId)
    await Promise.all(
      [...byNode].map(async ([peerId, assignments]) => {
        const ordinals = assignments.map(({ ordinal }) => ordinal)
        const verdict = await this.#assign(peerId, kept, { ordinals })
        if (verdict.code === undefined) {
          watched.expect(peerId, ordinals, world.now())
          this.#tell(record, 'replaced', `copies ${ordinals.join()} on ${nameOf(world, peerId)}`)
        } else if (verdict.code !== 'NOT_NEEDED') watched.failed(peerId, verdict.code, world.now())
      })
    )
  }

  /**
   * Whether a fenced copy that is not seen can be dead by now, and its keepers can be asked. That it never runs twice is not decided here
   * but by them: a node that were asked too early would only ask in vain.
   */
  #mayReplace({ record, bundle }: Kept, watched: Watched, ordinal: number): boolean {
    const fence = fenceOf(record, bundle.record)
    if (fence === undefined || watched.liveVersion < record.version) return true
    const reached = fence.keepers.filter((peerId) => !isGone(this.#init.world, peerId)).length
    return reached >= fence.majority && watched.unseenMs(ordinal, this.#init.world.now()) >= FENCE_HOLD_MS
  }

  /** Whether a copy that no lease vouches for may be started yet by who was given it. What all keepers wait for must not have all act at once. */
  #isAwaited(kept: Kept, watched: Watched, ordinal: number): boolean {
    const nowMs = this.#init.world.now()
    const pending = watched.pending(ordinal, nowMs)
    if (pending === undefined) return nowMs - kept.keptAtMs < STARTING_MS
    return !isGone(this.#init.world, pending.peerId)
  }

  /** Whether a copy that no lease vouches for is to be placed elsewhere. Its node, when it lives, is asked first: it may be starting it. */
  async #isLost(kept: Kept, watched: Watched, ordinal: number): Promise<boolean> {
    const { record } = kept
    const askedAtMs = this.#init.world.now()
    const pending = watched.pending(ordinal, askedAtMs)
    // because its owner gives a version to several nodes, and the one that takes this copy may not have told yet
    if (pending === undefined && askedAtMs - kept.keptAtMs < STARTING_MS) return false
    // nor does a keeper that has just come back know what the others gave away meanwhile
    if (pending === undefined && askedAtMs - this.#sinceMs < BACK_MS) return false
    const neverRan = watched.liveVersion < record.version
    const isNew = pending === undefined && this.#scaler.isNew(record, ordinal)
    if (pending === undefined || isGone(this.#init.world, pending.peerId))
      return isNew || record.onNodeLoss !== 'keep' || watched.isHomeless(ordinal, record.version)
    if (!pending.isLate) return false
    const { code } = await this.#assign(pending.peerId, kept, { ordinals: [ordinal] })
    const nowMs = this.#init.world.now()
    watched.expect(pending.peerId, [ordinal], nowMs)
    // nothing of it ever ran: its owner saw it fail, and was told
    if (code === undefined || code === 'UNREACHABLE' || neverRan || record.onNodeLoss === 'keep') return false
    watched.failed(pending.peerId, code, nowMs)
    watched.forget(ordinal)
    return true
  }

  /** Brings the newest version to a node that runs an older one and has not heard of it. One at a time: the others go on meanwhile. */
  async #update(kept: Kept, watched: Watched, { outdated, live }: Count): Promise<void> {
    const { version } = kept.record
    // a node that knows it and does not run it is about to, or turned back, and then the others had better not begin
    if (live.some((copy) => copy.version < version && copy.highest >= version)) return
    if (!watched.mayUpdate(outdated.length, kept.keptAtMs, this.#init.world.now())) return
    const byNode = [...Map.groupBy(outdated, (copy) => copy.peerId)].slice(0, 1)
    for (const [peerId, copies] of byNode) {
      // once each, because a node that replaces its copy states both
      const stated = new Set(copies.map(({ ordinal }) => ordinal))
      const ordinals = [...stated].filter((one) => one < Math.max(1, mostReplicas(kept.record)))
      if (ordinals.length === 0) continue
      const { code } = await this.#assign(peerId, kept, { ordinals })
      if (code === undefined)
        this.#tell(kept.record, 'updated', `copies ${ordinals.join()} on ${nameOf(this.#init.world, peerId)}`)
    }
  }

  async #drain(kept: Kept, { surplus }: Count, replicas: number): Promise<void> {
    for (const [peerId, copies] of Map.groupBy(surplus, (copy) => copy.peerId)) {
      const ordinals = copies.map(({ ordinal }) => ordinal)
      const { code } = await this.#assign(peerId, kept, { ordinals: [], surplus: ordinals, replicas })
      if (code === undefined)
        this.#tell(kept.record, 'drained', `copies ${ordinals.join()} on ${nameOf(this.#init.world, peerId)}`)
    }
  }

  async #bury(kept: Kept, live: readonly LiveCopy[]): Promise<void> {
    for (const peerId of new Set(live.map((copy) => copy.peerId))) {
      const { code } = await this.#assign(peerId, kept, { ordinals: [] })
      if (code === undefined) this.#tell(kept.record, 'buried', `on ${nameOf(this.#init.world, peerId)}`)
    }
  }

  /** A node that starts the runs of a CronJob has no lease between them, nor has one whose part of a Job is over. */
  async #buryUnleased(kept: Kept, { buried }: Watched): Promise<void> {
    const { manifestId } = kept.record
    const nodes = new Set(
      this.#init.kept.facts.of(manifestId).flatMap((fact) => (claims(fact) ? [fact.author] : []))
    )
    for (const peerId of nodes) {
      if (buried.has(peerId) || isGone(this.#init.world, peerId)) continue
      const { code } = await this.#assign(peerId, kept, { ordinals: [] })
      if (code === undefined) buried.add(peerId)
    }
  }

  #assign(peerId: string, kept: Kept, what: Parameters<typeof assignTo>[3]): ReturnType<typeof assignTo> {
    return assignTo(this.#init, peerId, kept, what)
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
