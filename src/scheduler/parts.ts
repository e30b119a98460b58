import { equalBytes } from '../common/index.ts'
import type { FenceRequest, HeldVersionInit } from '../generated/fbs/index.ts'
import type { KeptView, StoredManifest } from '../workloads/index.ts'
import { Accepting } from './accepting/accept-assign.ts'
import { FenceKeeping } from './fencing/fence-keeping.ts'
import { Fencing } from './fencing/fencing.ts'
import { Healer } from './healing/healer.ts'
import { mayResume } from './healing/resume.ts'
import { checkRecord } from './keeping/check-record.ts'
import { inspectKept } from './keeping/inspect-kept.ts'
import { Keeping } from './keeping/keeping.ts'
import { KeptTable } from './keeping/kept-table.ts'
import { Releasing } from './keys/release-key.ts'
import type { CheckedRecord, SchedulerInit, World } from './types.ts'

export interface PartsInit extends Pick<SchedulerInit, 'onEquivocation' | 'hasOthers' | 'onBegins'> {
  readonly world: World & Required<Pick<World, 'bootClock'>>
  readonly signal: AbortSignal
}

/** What a node does as keeper, holder and candidate, put together. Knows no libp2p. */
export class Parts {
  readonly kept: KeptTable
  readonly keeping: Keeping
  readonly releasing: Releasing
  readonly accepting: Accepting
  readonly healer: Healer
  readonly fenceKeeping: FenceKeeping
  readonly fencing: Fencing
  /** What makes a record of another node count here. @throws EnvelopeError, TrustError, WorkloadsError */
  readonly check: (bytes: Uint8Array) => CheckedRecord
  readonly #init: PartsInit

  constructor(init: PartsInit) {
    const { world, signal, onEquivocation, hasOthers, onBegins } = init
    this.#init = init
    const { networkId, bootClock: clock } = world
    this.check = (bytes) => checkRecord(bytes, { networkId, trust: world.trust() })
    this.kept = new KeptTable(world.store, this.check)
    const shared = { world, kept: this.kept, check: this.check, signal }
    this.keeping = new Keeping({
      ...shared,
      onEquivocation,
      hasOthers: () => hasOthers?.() ?? true,
      onKept: (kept, from, ordinals) => this.healer.noteKept(kept, from, ordinals)
    })
    this.releasing = new Releasing(shared)
    this.accepting = new Accepting({
      ...shared,
      onNoPart: (manifestId) => this.healer.tellAgain(manifestId),
      begunElsewhere: (record, ordinals, sinceMs) =>
        this.keeping.starting.begunElsewhere(record, ordinals, sinceMs),
      onStarting: (record, bytes, ordinals) => {
        onBegins?.(record.manifestId, ordinals)
        this.keeping.starting.tell(record, bytes, ordinals)
      }
    })
    this.healer = new Healer({ ...shared, keeping: this.keeping })
    this.fenceKeeping = new FenceKeeping({ ...shared, clock })
    const self = (request: FenceRequest, from: string) => this.fenceKeeping.answer(request, from)
    this.fencing = new Fencing({ ...shared, clock, self })
  }

  /** Before anybody is answered. */
  async open(): Promise<void> {
    await this.kept.open(this.#init.world.now())
    await this.fenceKeeping.open()
  }

  /** Every few seconds. */
  async look(): Promise<void> {
    void this.keeping.look() // not waited for: whom it asks may be silent for seconds
    await this.healer.look()
    await this.fenceKeeping.sweep()
  }

  /** Ordinals of what may be started again after a restart. */
  mayResume(stored: StoredManifest, { signal }: { signal: AbortSignal }): Promise<readonly number[]> {
    const { world, hasOthers, onBegins } = this.#init
    const claim = (ordinals: readonly number[]) => {
      onBegins?.(stored.manifestId, ordinals)
      return this.keeping.starting.claim(stored.record, ordinals)
    }
    return mayResume(world, stored, { check: this.check, claim, hasOthers: hasOthers?.() ?? true, signal })
  }

  /** For the status of owners. */
  keptViews(): KeptView[] {
    const live = this.#init.world.neighbours().filter(({ state }) => state === 'alive' || state === 'suspect')
    const isLive = (node: Uint8Array) => live.some(({ publicKey }) => equalBytes(publicKey, node))
    return this.kept.all().map(({ record, bundle }) => {
      const { manifestId, version, replicas, ownerPeerId: owner, tombstone } = record
      const { shareHolders, shareThreshold } = record
      return {
        manifestId,
        version,
        replicas,
        owner,
        tombstone,
        shareThreshold,
        shareHolders: shareHolders.length,
        liveHolders: shareHolders.filter(({ node }) => isLive(node)).length,
        standbys: bundle.sealedKeys.filter(({ recipient }) => isLive(recipient)).length
      }
    })
  }

  /** What is kept here of an author's manifest that does not run here: what runs, or ran, is told by whoever runs it. */
  async inspectKept(manifestId: Uint8Array, author: string): Promise<HeldVersionInit[]> {
    const { world } = this.#init
    const kept = this.kept.get(manifestId)
    const isHost = world.workloads.get(manifestId) !== undefined
    return kept?.record.ownerPeerId === author && !isHost ? [await inspectKept(kept, world)] : []
  }
}
