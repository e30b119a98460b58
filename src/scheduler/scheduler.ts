import { availableParallelism, loadavg } from 'node:os'
import type { ComponentLogger, PrivateKey } from '@libp2p/interface'
import { serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { delay, repeat } from '../common/index.ts'
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
  type HeldVersionInit,
  KEEP_REQUEST,
  RELEASE_REQUEST
} from '../generated/fbs/index.ts'
import type { MembersService } from '../members/index.ts'
import { MAX_KNOWN_PROVIDERS, type ProvidersService } from '../providers/index.ts'
import { bootClockMs } from '../runtime/index.ts'
import type { SealingKey } from '../sealing/index.ts'
import { Conduct, type OwnerRequest, PEER_PROTOCOLS, type PeerRequests, PeerWire } from '../wire/index.ts'
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
import { resealKept } from './keys/reseal-kept.ts'
import { Parts, type PartsInit } from './parts.ts'
import type { Healed, Kept, Neighbour, SchedulerInit, SchedulerService } from './types.ts'

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
  readonly #wire: PeerRequests
  readonly #world: PartsInit['world']
  /** For who looks closer: the simulation. */
  readonly parts: Parts
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
    this.#wire = init.wire ?? new PeerWire({ registrar, connectionManager, key, network, conduct, now })
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
      isExpelled: (peerId) => components.members.get(peerId) !== undefined && !init.isMember(peerId),
      asks: asksOver(this.#wire, {
        self: key.peerId,
        assign: (request) => this.parts.accepting.answer(request, key.peerId)
      }),
      leased: (manifestId) => components.providers.leased(manifestId),
      find: async (manifestId, options) => {
        const found = await components.providers.find(manifestId, { ...options, limit: MAX_KNOWN_PROVIDERS })
        return found.filter(({ source }) => source !== 'stale') // because what nobody could confirm does not run
      },
      unheard: (manifestId) => components.providers.unheard(manifestId),
      workloads: components.workloads
    }
    const { signal } = this.#stop
    const { onEquivocation, hasOthers, onBegins } = init
    this.parts = new Parts({ world: this.#world, signal, onEquivocation, hasOthers, onBegins })
    const { kept, check, releasing } = this.parts
    const world = this.#world
    const door = {
      world,
      draining: new Draining({ world, kept, check, releasing }),
      isScheduling: () => init.cordon?.isSet !== true,
      setScheduling: (scheduling: boolean) => this.#setScheduling(scheduling)
    }
    init.doors?.open('cordon', CORDON_REQUEST, (request) => answerCordon(door, request))
    init.doors?.open('drain', DRAIN_REQUEST, (request) => answerDrain(door, request))
    init.doors?.open('capacity', CAPACITY_REQUEST, (request) => this.#answerOwner(request))
  }

  async start(): Promise<void> {
    const { keeping, accepting, releasing, fenceKeeping, fencing } = this.parts
    await this.parts.open()
    await this.#wire.handle(PEER_PROTOCOLS.keep, KEEP_REQUEST, 'verdict', async (request, from) =>
      encodeVerdict(await keeping.answer(request, from))
    )
    await this.#wire.handle(PEER_PROTOCOLS.assign, ASSIGN_REQUEST, 'verdict', async (request, from) =>
      encodeVerdict(await accepting.answer(request, from))
    )
    await this.#wire.handle(PEER_PROTOCOLS.release, RELEASE_REQUEST, 'released', async (request, from) =>
      encodeReleased(await releasing.answer(request, from))
    )
    await this.#wire.handle(PEER_PROTOCOLS.fence, FENCE_REQUEST, 'verdict', async (request, from) =>
      encodeVerdict(await fenceKeeping.answer(request, from))
    )
    await this.#wire.handle(PEER_PROTOCOLS.bid, BID_REQUEST, 'bidList', async (request) => {
      const bid = makeBid(this.#world, request)
      return encodeBidList({ bids: bid === undefined ? [] : [{ bid }], asked: 1, members: 1 })
    })
    for (const change of ['member:dead', 'member:left'] as const)
      this.#components.members.addEventListener(change, this.#onGone)
    this.#components.workloads.addEventListener('workload', this.#onCopy)
    await fencing.open()
    void repeat(FENCE_RETRY_MS, () => fencing.look(), {
      signal: this.#stop.signal,
      onError: (error) => this.#world.log.error('fenced workloads: %e', error)
    })
    void repeat(LOOK_INTERVAL_MS, () => this.parts.look(), {
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
    await this.parts.keeping.push(bundle, options)
  }

  mayResume(stored: StoredManifest, options: { signal: AbortSignal }): Promise<readonly number[]> {
    return this.parts.mayResume(stored, options)
  }

  mayStart(copy: FencedCopy, options: { signal: AbortSignal }): Promise<FenceLease | undefined> {
    return this.parts.fencing.mayStart(copy, options)
  }

  isHeld(manifestId: Uint8Array, ordinal: number): boolean {
    return this.parts.fencing.isHeld(manifestId, ordinal)
  }

  kept(): Kept[] {
    return this.parts.kept.all()
  }

  keptViews(): KeptView[] {
    return this.parts.keptViews()
  }

  inspectKept(manifestId: Uint8Array, author: string): Promise<HeldVersionInit[]> {
    return this.parts.inspectKept(manifestId, author)
  }

  reseal(from: SealingKey, to: SealingKey): Promise<void> {
    return resealKept(this.#world, this.parts.kept, { from, to })
  }

  keptBundle(manifestId: Uint8Array): KeptBundle | undefined {
    const kept = this.parts.kept.get(manifestId)
    if (kept === undefined || kept.record.tombstone) return undefined
    const { version, owner: ownerKey, ownerPeerId: owner } = kept.record
    return { bundle: kept.bundle, version, owner, ownerKey }
  }

  healed(): readonly Healed[] {
    return this.parts.healer.recent()
  }

  #lookSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      this.parts.healer
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
    const { bids, asked, members } = await collectBids(this.#world, payload.request, { signal, search: true })
    await reply.send(encodeBidList({ bids, asked, members }), { last: true })
  }
}
