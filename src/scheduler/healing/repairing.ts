import { BACK_MS, FENCE_HOLD_MS, STARTING_MS } from '../constants.ts'
import { claims } from '../facts/fact.ts'
import { fenceOf } from '../fencing/fence.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import { mostCopies, mostReplicas } from '../scale/bounds.ts'
import type { Scaler } from '../scale/scaler.ts'
import type { CheckedRecord, Healed, Kept, World } from '../types.ts'
import { assignTo } from './assign-to.ts'
import type { Count, LiveCopy } from './count.ts'
import { isGone, nameOf } from './neighbours.ts'
import { placeCopies } from './place-copies.ts'
import type { Watched } from './watched.ts'

export interface RepairingInit {
  readonly world: World
  readonly kept: KeptTable
  readonly signal: AbortSignal
  readonly scaler: Pick<Scaler, 'isNew'>
  /** When this node began to keep. */
  readonly sinceMs: number
  readonly tell: (record: CheckedRecord, action: Healed['action'], detail: string) => void
}

/** What a keeper does about a difference between what is wanted and what runs. Every node that is asked looks for itself. */
export class Repairing {
  readonly #init: RepairingInit

  constructor(init: RepairingInit) {
    this.#init = init
  }

  /** Starts what is missing on other nodes. */
  async replace(kept: Kept, watched: Watched, count: Count): Promise<void> {
    const { world, signal } = this.#init
    const { record } = kept
    const nowMs = world.now()
    const wanted: number[] = []
    // whatever is missing: what runs too much has to go first
    const room = Math.max(0, mostCopies(record) - count.live.length)
    for (const ordinal of [...new Set(count.missing)].slice(0, room))
      if (this.#mayReplace(kept, watched, ordinal) && (await this.#isLost(kept, watched, ordinal)))
        wanted.push(ordinal)
    if (wanted.length === 0) return
    const avoid = watched.avoid(nowMs)
    world.log('copies %s are missing: asking for bids', wanted.join())
    const made = await placeCopies(world, record, { ordinals: wanted, avoid, signal })
    if (made.unplaced.length > 0) {
      watched.rest(nowMs)
      this.#init.tell(record, 'nothing-fits', made.summary)
    }
    // a node that came back while bids were awaited has asked for what it had
    const open = made.assignments.filter(({ ordinal }) => !this.isAwaited(kept, watched, ordinal))
    const byNode = Map.groupBy(open, ({ peerId }) => peerId)
    await Promise.all(
      [...byNode].map(async ([peerId, assignments]) => {
        const ordinals = assignments.map(({ ordinal }) => ordinal)
        const verdict = await this.#assign(peerId, kept, { ordinals })
        if (verdict.code === undefined) {
          watched.expect(peerId, ordinals, world.now())
          this.#init.tell(record, 'replaced', `copies ${ordinals.join()} on ${nameOf(world, peerId)}`)
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
  isAwaited(kept: Kept, watched: Watched, ordinal: number): boolean {
    const nowMs = this.#init.world.now()
    // with a copy on every node the number says nothing of where it is
    const pending = kept.record.perNode ? undefined : watched.pending(ordinal, nowMs)
    if (pending === undefined) return nowMs - kept.keptAtMs < STARTING_MS
    return !isGone(this.#init.world, pending.peerId)
  }

  /** Whether a copy that no lease vouches for is to be placed elsewhere. Its node, when it lives, is asked first: it may be starting it. */
  async #isLost(kept: Kept, watched: Watched, ordinal: number): Promise<boolean> {
    const { record } = kept
    const askedAtMs = this.#init.world.now()
    const pending = record.perNode ? undefined : watched.pending(ordinal, askedAtMs)
    // because its owner gives a version to several nodes, and the one that takes this copy may not have told yet
    if (pending === undefined && askedAtMs - kept.keptAtMs < STARTING_MS) return false
    // nor does a keeper that has just come back know what the others gave away meanwhile
    if (pending === undefined && askedAtMs - this.#init.sinceMs < BACK_MS) return false
    const neverRan = watched.liveVersion < record.version
    if (record.perNode) return true // none has moved: it is another node's
    const isNew = pending === undefined && this.#init.scaler.isNew(record, ordinal)
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
  async update(kept: Kept, watched: Watched, { outdated, live }: Count): Promise<void> {
    const { version } = kept.record
    // a node that knows it and does not run it is about to, or turned back, and then the others had better not begin
    if (live.some((copy) => copy.version < version && copy.highest >= version)) return
    if (!watched.mayUpdate(outdated.length, kept.keptAtMs, this.#init.world.now())) return
    // copies that the newest version has none of are drained when it is complete
    const wanted = outdated.filter(({ ordinal }) => ordinal < Math.max(1, mostReplicas(kept.record)))
    const byNode = [...Map.groupBy(wanted, (copy) => copy.peerId)].slice(0, 1)
    for (const [peerId, copies] of byNode) {
      // once each, because a node that replaces its copy states both
      const ordinals = [...new Set(copies.map(({ ordinal }) => ordinal))]
      const { code } = await this.#assign(peerId, kept, { ordinals })
      if (code === undefined)
        this.#init.tell(
          kept.record,
          'updated',
          `copies ${ordinals.join()} on ${nameOf(this.#init.world, peerId)}`
        )
    }
  }

  async drain(kept: Kept, { surplus }: Count, replicas: number): Promise<void> {
    for (const [peerId, copies] of Map.groupBy(surplus, (copy) => copy.peerId)) {
      const ordinals = copies.map(({ ordinal }) => ordinal)
      const { code } = await this.#assign(peerId, kept, { ordinals: [], surplus: ordinals, replicas })
      if (code === undefined)
        this.#init.tell(
          kept.record,
          'drained',
          `copies ${ordinals.join()} on ${nameOf(this.#init.world, peerId)}`
        )
    }
  }

  async bury(kept: Kept, live: readonly LiveCopy[]): Promise<void> {
    for (const peerId of new Set(live.map((copy) => copy.peerId))) {
      const { code } = await this.#assign(peerId, kept, { ordinals: [] })
      if (code === undefined) this.#init.tell(kept.record, 'buried', `on ${nameOf(this.#init.world, peerId)}`)
    }
  }

  /** A node that starts the runs of a CronJob has no lease between them, nor has one whose part of a Job is over. */
  async buryUnleased(kept: Kept, { buried }: Watched): Promise<void> {
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
}
