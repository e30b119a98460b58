import { toError, toHex, withDeadline } from '../../common/index.ts'
import { CONCURRENCY, CONFIRM_TIMEOUT_MS, KEEPERS, RANK_DELAY_MS, SPARE_KEEPERS } from '../constants.ts'
import { toldOf } from '../facts/past.ts'
import { Telling } from '../facts/telling.ts'
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
  readonly #telling: Telling
  readonly #scaler: Scaler

  constructor(init: HealerInit) {
    this.#init = init
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
    if (record.version > watched.liveVersion) watched.renew()
    watched.expect(from, ordinals, this.#init.world.now())
  }

  /** Looks at everything kept here. */
  async look(): Promise<void> {
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
      await this.#init.keeping.offer(kept)
      await this.#lookAt(kept, watched)
    } catch (error) {
      this.#init.world.log('%s: %s', toHex(kept.record.manifestId).slice(0, 16), toError(error).message)
    } finally {
      watched.isBusy = false
    }
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
    if (record.tombstone) await this.#buryScheduled(kept, watched)
    if (isRight(seen)) {
      watched.wrongSinceMs = undefined
      watched.rests = 0
      return
    }
    const nowMs = world.now()
    watched.wrongSinceMs ??= nowMs
    if (nowMs - watched.wrongSinceMs < place * RANK_DELAY_MS || nowMs < watched.restUntilMs) return
    // because a lease may only be unknown here: whoever may know is asked before anything is done
    const signal = withDeadline(CONFIRM_TIMEOUT_MS, this.#init.signal)
    const leases = await world
      .find(record.manifestId, { signal })
      .catch(() => world.leased(record.manifestId))
    const count = this.#count(record, leases, watched)
    if (record.tombstone) return this.#bury(kept, count.live)
    await this.#update(kept, count.outdated)
    await this.#drain(kept, count, this.#scaler.wanted(record, leases))
    if (count.missing.length > 0) await this.#replace(kept, watched, count)
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
      if (version === record.version) watched.liveVersion = record.version
      if (!record.perNode) watched.expect(peerId, [ordinal], world.now())
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
      if (await this.#isLost(kept, watched, ordinal)) wanted.push(ordinal)
    if (wanted.length === 0) return
    const avoid = watched.avoid(nowMs)
    const made = await placeCopies(world, record, { ordinals: wanted, avoid, signal })
    if (made.unplaced.length > 0) {
      watched.rest(nowMs)
      this.#tell(record, 'nothing-fits', made.summary)
    }
    const byNode = Map.groupBy(made.assignments, ({ peerId }) => peerId)
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

  /** Whether a copy that no lease vouches for is to be placed elsewhere. Its node, when it lives, is asked first: it may be starting it. */
  async #isLost(kept: Kept, watched: Watched, ordinal: number): Promise<boolean> {
    const { record } = kept
    const pending = watched.pending(ordinal, this.#init.world.now())
    const neverRan = watched.liveVersion < record.version
    const isNew = pending === undefined && this.#scaler.isNew(record, ordinal)
    if (pending === undefined || isGone(this.#init.world, pending.peerId))
      return neverRan || isNew || record.onNodeLoss !== 'keep'
    if (!pending.isLate) return false
    const { code } = await this.#assign(pending.peerId, kept, { ordinals: [ordinal] })
    const nowMs = this.#init.world.now()
    watched.expect(pending.peerId, [ordinal], nowMs)
    // nothing of it ever ran: its owner saw it fail, and was told
    if (code === undefined || code === 'UNREACHABLE' || neverRan) return false
    watched.failed(pending.peerId, code, nowMs)
    watched.forget(ordinal)
    return true
  }

  /** Brings the newest version to nodes that run an older one and have not heard of it. */
  async #update(kept: Kept, outdated: readonly LiveCopy[]): Promise<void> {
    for (const [peerId, copies] of Map.groupBy(outdated, (copy) => copy.peerId)) {
      const ordinals = copies
        .map(({ ordinal }) => ordinal)
        .filter((one) => one < Math.max(1, mostReplicas(kept.record)))
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

  /** A node that starts the runs of a CronJob has no lease between them. */
  async #buryScheduled(kept: Kept, { buried }: Watched): Promise<void> {
    const { manifestId } = kept.record
    const nodes = new Set(
      this.#init.kept.facts
        .of(manifestId)
        .flatMap(({ author, schedule }) => (schedule.length > 0 ? [author] : []))
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
