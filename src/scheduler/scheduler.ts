import { availableParallelism, loadavg } from 'node:os'
import type { ComponentLogger, PrivateKey } from '@libp2p/interface'
import { serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { delay, equalBytes, repeat } from '../common/index.ts'
import {
  ASSIGN_REQUEST,
  BID_REQUEST,
  CAPACITY_REQUEST,
  type CapacityRequest,
  CORDON_REQUEST,
  DRAIN_REQUEST,
  encodeBidList,
  encodeReleased,
  encodeVerdict,
  FENCE_REQUEST,
  type FenceRequest,
  type HeldVersionInit,
  KEEP_REQUEST,
  RELEASE_REQUEST
} from '../generated/fbs/index.ts'
import type { MembersService } from '../members/index.ts'
import type { ProvidersService } from '../providers/index.ts'
import { bootClockMs } from '../runtime/index.ts'
import type { SealingKey } from '../sealing/index.ts'
import { Conduct, type OwnerRequest, PEER_PROTOCOLS, PeerWire } from '../wire/index.ts'
import type {
  Bundle,
  FencedCopy,
  FenceLease,
  KeepOptions,
  KeptBundle,
  KeptView,
  StoredManifest,
  WorkloadEvent,
  WorkloadsService
} from '../workloads/index.ts'
import { asksOver } from './asks.ts'
import { makeBid } from './bids/bid.ts'
import { collectBids } from './bids/collect-bids.ts'
import { FENCE_RETRY_MS, LOOK_INTERVAL_MS } from './constants.ts'
import { answerCordon, answerDrain } from './draining/answer-owner.ts'
import { Draining } from './draining/draining.ts'
import { FenceKeeping } from './fencing/fence-keeping.ts'
import { Fencing } from './fencing/fencing.ts'
import { Accepting } from './healing/accept-assign.ts'
import { Healer } from './healing/healer.ts'
import { mayResume } from './healing/resume.ts'
import { checkRecord } from './keeping/check-record.ts'
import { inspectKept } from './keeping/inspect-kept.ts'
import { Keeping } from './keeping/keeping.ts'
import { KeptTable } from './keeping/kept-table.ts'
import { Releasing } from './keys/release-key.ts'
import { resealKept } from './keys/reseal-kept.ts'
import type {
  CheckedRecord,
  Healed,
  Kept,
  Neighbour,
  SchedulerInit,
  SchedulerService,
  World
} from './types.ts'

/** What libp2p hands in. */
export interface SchedulerComponents {
  readonly privateKey: PrivateKey
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly logger: ComponentLogger
  /** Services of these names. */
  readonly members: MembersService
  readonly providers: ProvidersService
  readonly workloads: WorkloadsService
}

/** After news of a death all that comes in together is looked at once. Chosen. */
const QUIET_MS = 50
/** The list of members is read anew after this. Chosen: below what a detector needs by far. */
const NEIGHBOURS_MS = 100

/** Lifecycle and wiring; each part has a folder of its own. */
export class Scheduler implements SchedulerService {
  readonly [Symbol.toStringTag] = '@beemesh/scheduler'
  readonly [serviceCapabilities]: string[] = ['@beemesh/scheduler']
  readonly [serviceDependencies]: string[] = ['@beemesh/members', '@beemesh/providers', '@beemesh/workloads']
  readonly #components: SchedulerComponents
  readonly #init: SchedulerInit
  readonly #wire: PeerWire
  readonly #world: World
  readonly #kept: KeptTable
  readonly #keeping: Keeping
  readonly #releasing: Releasing
  readonly #accepting: Accepting
  readonly #healer: Healer
  readonly #fenceKeeping: FenceKeeping
  readonly #fencing: Fencing
  readonly #stop = new AbortController()
  #soon: NodeJS.Timeout | undefined
  #seen: { atMs: number; list: readonly Neighbour[] } | undefined
  readonly #onGone = () => {
    this.#seen = undefined
    this.#lookSoon()
  }
  readonly #onCopy = ({ detail: { type } }: CustomEvent<WorkloadEvent>) => {
    if (type === 'stopped' || type === 'failed') this.#lookSoon() // because keepers are to know soon what is done
  }

  constructor(components: SchedulerComponents, init: SchedulerInit) {
    const { registrar, connectionManager } = components
    this.#components = components
    this.#init = init
    const { network, key, now = Date.now } = init
    const clock = init.bootClock ?? init.now ?? bootClockMs
    const log = components.logger.forComponent('beemesh:scheduler')
    const conduct =
      init.conduct ??
      new Conduct({ now, host: { disconnect: (peer) => connectionManager.closeConnections(peer) } })
    this.#wire = new PeerWire({ registrar, connectionManager, key, network, conduct, now })
    const cores = availableParallelism()
    this.#world = {
      key,
      networkId: network.id,
      nodeName: init.nodeName,
      store: init.store,
      log,
      trust: init.trust,
      sealingKey: init.sealingKey,
      load: () => Math.min(1, loadavg()[0]! / cores),
      startedAtMs: now(),
      now,
      bootClock: clock,
      random: Math.random,
      delay: (ms, options) => delay(ms, options),
      neighbours: () => this.#neighbours(),
      isMember: init.isMember,
      asks: asksOver(this.#wire, {
        self: key.peerId,
        assign: (request) => this.#accepting.answer(request, key.peerId)
      }),
      leased: (manifestId) => components.providers.leased(manifestId),
      find: async (manifestId, options) => {
        const found = await components.providers.find(manifestId, options)
        return found.filter(({ source }) => source !== 'stale') // because what nobody could confirm does not run
      },
      workloads: components.workloads
    }
    const world = this.#world
    const { signal } = this.#stop
    const check = (bytes: Uint8Array) => checkRecord(bytes, { networkId: network.id, trust: init.trust() })
    this.#kept = new KeptTable(init.store, check)
    const shared = { world, kept: this.#kept, check, signal }
    this.#keeping = new Keeping({
      ...shared,
      onEquivocation: init.onEquivocation,
      hasOthers: () => this.#init.hasOthers?.() ?? true,
      onKept: (kept, from, ordinals) => this.#healer.noteKept(kept, from, ordinals)
    })
    this.#releasing = new Releasing(shared)
    this.#accepting = new Accepting({
      ...shared,
      onNoPart: (manifestId) => this.#healer.tellAgain(manifestId),
      begunElsewhere: (record, ordinals, sinceMs) =>
        this.#keeping.starting.begunElsewhere(record, ordinals, sinceMs),
      onStarting: (record, bytes, ordinals) => this.#keeping.starting.tell(record, bytes, ordinals)
    })
    this.#healer = new Healer({ ...shared, keeping: this.#keeping })
    const door = {
      world,
      draining: new Draining({ ...shared, releasing: this.#releasing }),
      isScheduling: () => init.cordon?.isSet !== true,
      setScheduling: (scheduling: boolean) => this.#setScheduling(scheduling)
    }
    init.doors?.open('cordon', CORDON_REQUEST, (request) => answerCordon(door, request))
    init.doors?.open('drain', DRAIN_REQUEST, (request) => answerDrain(door, request))
    this.#fenceKeeping = new FenceKeeping({ ...shared, clock })
    const self = (request: FenceRequest, from: string) => this.#fenceKeeping.answer(request, from)
    this.#fencing = new Fencing({ ...shared, clock, self })
    init.doors?.open('capacity', CAPACITY_REQUEST, (request) => this.#answerOwner(request))
  }

  async start(): Promise<void> {
    await this.#kept.open(this.#world.now())
    await this.#fenceKeeping.open()
    await this.#wire.handle(PEER_PROTOCOLS.keep, KEEP_REQUEST, 'verdict', async (request, from) =>
      encodeVerdict(await this.#keeping.answer(request, from))
    )
    await this.#wire.handle(PEER_PROTOCOLS.assign, ASSIGN_REQUEST, 'verdict', async (request, from) =>
      encodeVerdict(await this.#accepting.answer(request, from))
    )
    await this.#wire.handle(PEER_PROTOCOLS.release, RELEASE_REQUEST, 'released', async (request, from) =>
      encodeReleased(await this.#releasing.answer(request, from))
    )
    await this.#wire.handle(PEER_PROTOCOLS.fence, FENCE_REQUEST, 'verdict', async (request, from) =>
      encodeVerdict(await this.#fenceKeeping.answer(request, from))
    )
    await this.#wire.handle(PEER_PROTOCOLS.bid, BID_REQUEST, 'bidList', async (request) => {
      const bid = makeBid(this.#world, request)
      return encodeBidList({ bids: bid === undefined ? [] : [{ bid }], asked: 1, members: 1 })
    })
    for (const change of ['member:dead', 'member:left'] as const)
      this.#components.members.addEventListener(change, this.#onGone)
    this.#components.workloads.addEventListener('workload', this.#onCopy)
    await this.#fencing.open()
    void repeat(FENCE_RETRY_MS, () => this.#fencing.look(), {
      signal: this.#stop.signal,
      onError: (error) => this.#world.log.error('fenced workloads: %e', error)
    })
    void repeat(LOOK_INTERVAL_MS, () => this.#lookAround(), {
      signal: this.#stop.signal,
      onError: (error) => this.#world.log.error('looking after workloads: %e', error)
    })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#soon)
    this.#components.workloads.removeEventListener('workload', this.#onCopy)
    for (const change of ['member:dead', 'member:left'] as const)
      this.#components.members.removeEventListener(change, this.#onGone)
    for (const name of ['keep', 'assign', 'release', 'fence', 'bid'] as const)
      await this.#wire.unhandle(PEER_PROTOCOLS[name])
  }

  /** Not read anew for each of many manifests: a member list of thousands is not for free. */
  #neighbours(): readonly Neighbour[] {
    const nowMs = performance.now()
    if (this.#seen === undefined || nowMs - this.#seen.atMs > NEIGHBOURS_MS) {
      const list = this.#components.members
        .list()
        .filter(({ peerId, self }) => self || this.#init.isMember(peerId))
      this.#seen = { atMs: nowMs, list }
    }
    return this.#seen.list
  }

  async keep(bundle: Bundle, options: KeepOptions): Promise<void> {
    await this.#keeping.push(bundle, options)
  }

  mayResume(stored: StoredManifest, { signal }: { signal: AbortSignal }): Promise<readonly number[]> {
    const check = (bytes: Uint8Array): CheckedRecord =>
      checkRecord(bytes, { networkId: this.#init.network.id, trust: this.#init.trust() })
    const claim = (ordinals: readonly number[]) => this.#keeping.starting.claim(stored.record, ordinals)
    return mayResume(this.#world, stored, {
      check,
      claim,
      hasOthers: this.#init.hasOthers?.() ?? true,
      signal
    })
  }

  mayStart(copy: FencedCopy, options: { signal: AbortSignal }): Promise<FenceLease | undefined> {
    return this.#fencing.mayStart(copy, options)
  }

  isHeld(manifestId: Uint8Array, ordinal: number): boolean {
    return this.#fencing.isHeld(manifestId, ordinal)
  }

  kept(): Kept[] {
    return this.#kept.all()
  }

  keptViews(): KeptView[] {
    const live = this.#world.neighbours().filter(({ state }) => state === 'alive' || state === 'suspect')
    const isLive = (node: Uint8Array) => live.some(({ publicKey }) => equalBytes(publicKey, node))
    return this.#kept.all().map(({ record, bundle }) => {
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

  async inspectKept(manifestId: Uint8Array, author: string): Promise<HeldVersionInit[]> {
    const kept = this.#kept.get(manifestId)
    // what it runs, or ran, it has told of already
    const isHost = this.#world.workloads.get(manifestId) !== undefined
    return kept?.record.ownerPeerId === author && !isHost ? [await inspectKept(kept, this.#world)] : []
  }

  reseal(from: SealingKey, to: SealingKey): Promise<void> {
    return resealKept(this.#world, this.#kept, { from, to })
  }

  keptBundle(manifestId: Uint8Array): KeptBundle | undefined {
    const kept = this.#kept.get(manifestId)
    if (kept === undefined || kept.record.tombstone) return undefined
    const { version, owner: ownerKey, ownerPeerId: owner } = kept.record
    return { bundle: kept.bundle, version, owner, ownerKey }
  }

  healed(): readonly Healed[] {
    return this.#healer.recent()
  }

  async #lookAround(): Promise<void> {
    await this.#healer.look()
    await this.#fenceKeeping.sweep()
  }

  #lookSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      this.#healer
        .look()
        .catch((error: unknown) => this.#world.log.error('looking after workloads: %e', error))
    }, QUIET_MS)
  }

  async #setScheduling(scheduling: boolean): Promise<boolean> {
    await this.#init.cordon?.set(!scheduling)
    this.#components.members.refresh()
    return this.#components.members.self().scheduling
  }

  async #answerOwner({ payload, reply, signal }: OwnerRequest<CapacityRequest>): Promise<void> {
    const { bids, asked, members } = await collectBids(this.#world, payload.request, { signal })
    await reply.send(encodeBidList({ bids: [...bids], asked, members }), { last: true })
  }
}
