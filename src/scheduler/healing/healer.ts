import { toError, toHex, withDeadline } from '../../common/index.ts'
import type { AssignRequestInit } from '../../generated/fbs/index.ts'
import { rulesOf } from '../bids/bid.ts'
import {
  ASK_TIMEOUT_MS,
  CONCURRENCY,
  CONFIRM_TIMEOUT_MS,
  KEEPERS,
  RANK_DELAY_MS,
  SPARE_KEEPERS
} from '../constants.ts'
import type { Keeping } from '../keeping/keeping.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import { plan } from '../plan/index.ts'
import type { CheckedRecord, Healed, Kept, Lease, World } from '../types.ts'
import { type Count, countCopies, isRight, type LiveCopy, whatIsWrong } from './count.ts'
import { placeCopies } from './place-copies.ts'
import { Watched } from './watched.ts'

/** An assignment is answered when the copy is written down, and the node may have to get the key first. */
const ASSIGN_TIMEOUT_MS = 15_000

/** What a node has is not asked when it is only about which nodes are meant. */
const ROOM = { cpuMillis: 1, memoryBytes: 1, storageBytes: 1, pods: 1 }

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

  constructor(init: HealerInit) {
    this.#init = init
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
    const seen = this.#count(record, world.leased(record.manifestId), watched)
    if (isRight(seen)) return watched.right()
    const nowMs = world.now()
    const sinceMs = watched.wrong(whatIsWrong(seen), nowMs)
    if (nowMs - sinceMs < place * RANK_DELAY_MS || nowMs < watched.restUntilMs) return
    // because a lease may only be unknown here: whoever may know is asked before anything is done
    const signal = withDeadline(CONFIRM_TIMEOUT_MS, this.#init.signal)
    const leases = await world
      .find(record.manifestId, { signal })
      .catch(() => world.leased(record.manifestId))
    const count = this.#count(record, leases, watched)
    if (record.tombstone) return this.#bury(kept, count.live)
    await this.#update(kept, count.outdated)
    await this.#drain(kept, count)
    if (count.missing.length > 0 && record.lifetime === 'service') await this.#replace(kept, watched, count)
  }

  #count(record: CheckedRecord, leases: readonly Lease[], watched: Watched): Count {
    const count = countCopies(record, leases, record.perNode ? this.#nodesFor(record) : [])
    for (const { version, peerId, ordinal } of count.live) {
      if (version === record.version) watched.liveVersion = record.version
      if (!record.perNode) watched.expect(peerId, [ordinal], this.#init.world.now())
    }
    return count
  }

  /** Of a manifest with a copy on every node: those that are to have one, if they have room. */
  #nodesFor(record: CheckedRecord): string[] {
    const rules = rulesOf(record.placement)
    const perCopy = { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 }
    const candidates = this.#init.world
      .neighbours()
      .filter(({ state, engines }) => engines.length > 0 && (state === 'alive' || state === 'suspect'))
      .map((node) => ({ ...node, free: ROOM, allocatable: ROOM, load: 0, reliability: 1, ordinals: [] }))
    const request = { rules, perCopy, engine: record.engine, ordinals: [0], perNode: true }
    return plan({ candidates }, request, () => 0).assignments.map(({ peerId }) => peerId)
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
        world.log('copies %s are missing: asking %s', ordinals.join(), nameOf(world, peerId))
        const verdict = await this.#assign(peerId, kept, { ordinals })
        if (verdict.code === undefined) {
          watched.expect(peerId, ordinals, world.now())
          this.#tell(record, 'replaced', `copies ${ordinals.join()} on ${nameOf(world, peerId)}`)
          return
        }
        for (const ordinal of ordinals) watched.forget(ordinal, peerId)
        if (verdict.code !== 'NOT_NEEDED') watched.failed(peerId, verdict.code, world.now())
      })
    )
  }

  /** Whether a copy that no lease vouches for is to be placed elsewhere. Its node, when it lives, is asked first: it may be starting it. */
  async #isLost(kept: Kept, watched: Watched, ordinal: number): Promise<boolean> {
    const { record } = kept
    const pending = watched.pending(ordinal, this.#init.world.now())
    const neverRan = watched.liveVersion < record.version
    if (pending === undefined || this.#isGone(pending.peerId)) return neverRan || record.onNodeLoss !== 'keep'
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
        .filter((one) => one < Math.max(1, kept.record.replicas))
      if (ordinals.length === 0) continue
      const { code } = await this.#assign(peerId, kept, { ordinals })
      if (code === undefined)
        this.#tell(kept.record, 'updated', `copies ${ordinals.join()} on ${nameOf(this.#init.world, peerId)}`)
    }
  }

  async #drain(kept: Kept, { surplus }: Count): Promise<void> {
    for (const [peerId, copies] of Map.groupBy(surplus, (copy) => copy.peerId)) {
      const ordinals = copies.map(({ ordinal }) => ordinal)
      const { code } = await this.#assign(peerId, kept, { ordinals: [], surplus: ordinals })
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

  async #assign(
    peerId: string,
    { bundle }: Kept,
    what: Pick<AssignRequestInit, 'ordinals' | 'surplus'>
  ): Promise<{ code?: string | undefined }> {
    const { world, signal } = this.#init
    const timeoutMs = (what.ordinals?.length ?? 0) > 0 ? ASSIGN_TIMEOUT_MS : ASK_TIMEOUT_MS
    try {
      return await world.asks.assign(
        peerId,
        { ...bundle, ...what },
        { signal: withDeadline(timeoutMs, signal) }
      )
    } catch (error) {
      world.log('%s does not answer: %s', nameOf(world, peerId), toError(error).message)
      return { code: 'UNREACHABLE' }
    }
  }

  #isGone(peerId: string): boolean {
    const node = this.#init.world.neighbours().find((one) => one.peerId === peerId)
    return node === undefined || node.state === 'dead' || node.state === 'left'
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

function nameOf(world: World, peerId: string): string {
  return world.neighbours().find((one) => one.peerId === peerId)?.name ?? peerId.slice(-8)
}
