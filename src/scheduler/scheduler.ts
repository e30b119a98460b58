import { availableParallelism, loadavg } from 'node:os'
import type { ComponentLogger, PrivateKey } from '@libp2p/interface'
import { serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { delay, equalBytes, repeat, withDeadline } from '../common/index.ts'
import {
  ASSIGN_REQUEST,
  BID_REQUEST,
  CAPACITY_REQUEST,
  type CapacityRequest,
  encodeBidList,
  encodeReleased,
  encodeVerdict,
  type HeldVersionInit,
  KEEP_REQUEST,
  RELEASE_REQUEST
} from '../generated/fbs/index.ts'
import type { MembersService } from '../members/index.ts'
import type { ProvidersService } from '../providers/index.ts'
import type { SealingKey } from '../sealing/index.ts'
import { Conduct, type OwnerRequest, PEER_PROTOCOLS, PeerWire } from '../wire/index.ts'
import type { Bundle, KeepOptions, KeptView, StoredManifest, WorkloadsService } from '../workloads/index.ts'
import { asksAlsoHere, asksOver } from './asks.ts'
import { makeBid } from './bids/bid.ts'
import { collectBids } from './bids/collect-bids.ts'
import { ASK_TIMEOUT_MS, LOOK_INTERVAL_MS } from './constants.ts'
import { Accepting } from './healing/accept-assign.ts'
import { Healer } from './healing/healer.ts'
import { mayResume } from './healing/resume.ts'
import { checkRecord } from './keeping/check-record.ts'
import { inspectKept } from './keeping/inspect-kept.ts'
import { Keeping } from './keeping/keeping.ts'
import { KeptTable } from './keeping/kept-table.ts'
import { Releasing } from './keys/release-key.ts'
import { resealKept } from './keys/reseal-kept.ts'
import type { CheckedRecord, Healed, Kept, SchedulerInit, SchedulerService, World } from './types.ts'

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
  readonly #stop = new AbortController()
  #soon: NodeJS.Timeout | undefined
  readonly #onGone = () => this.#lookSoon()

  constructor(components: SchedulerComponents, init: SchedulerInit) {
    const { registrar, connectionManager } = components
    this.#components = components
    this.#init = init
    const { network, key, now = Date.now } = init
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
      random: Math.random,
      delay: (ms, options) => delay(ms, options),
      neighbours: () => components.members.list().filter(({ peerId, self }) => self || init.isMember(peerId)),
      isMember: init.isMember,
      asks: asksAlsoHere(asksOver(this.#wire), () => ({
        peerId: key.peerId,
        assign: (request, from) => this.#accepting.answer(request, from),
        release: (request, from) => this.#releasing.answer(request, from)
      })),
      leased: (manifestId) => components.providers.leased(manifestId),
      find: (manifestId, options) => components.providers.find(manifestId, options),
      workloads: components.workloads
    }
    const world = this.#world
    const { signal } = this.#stop
    const check = (bytes: Uint8Array) => checkRecord(bytes, { networkId: network.id, trust: init.trust() })
    this.#kept = new KeptTable(init.store, check)
    const shared = { world, kept: this.#kept, check, signal }
    this.#keeping = new Keeping({
      ...shared,
      onKept: (kept, from, ordinals) => this.#healer.noteKept(kept, from, ordinals)
    })
    this.#releasing = new Releasing(shared)
    this.#accepting = new Accepting({
      ...shared,
      onTaken: (bundle, ordinals) =>
        void this.#keeping
          .push(bundle, { ordinals, signal: withDeadline(ASK_TIMEOUT_MS, signal) })
          .catch((error: unknown) => world.log('keepers are not told of copies: %e', error))
    })
    this.#healer = new Healer({ ...shared, keeping: this.#keeping })
    init.doors?.open('capacity', CAPACITY_REQUEST, (request) => this.#answerOwner(request))
  }

  async start(): Promise<void> {
    await this.#kept.open(this.#world.now())
    await this.#wire.handle(PEER_PROTOCOLS.keep, KEEP_REQUEST, 'verdict', async (request, from) =>
      encodeVerdict(await this.#keeping.answer(request, from))
    )
    await this.#wire.handle(PEER_PROTOCOLS.assign, ASSIGN_REQUEST, 'verdict', async (request, from) =>
      encodeVerdict(await this.#accepting.answer(request, from))
    )
    await this.#wire.handle(PEER_PROTOCOLS.release, RELEASE_REQUEST, 'released', async (request, from) =>
      encodeReleased(await this.#releasing.answer(request, from))
    )
    await this.#wire.handle(PEER_PROTOCOLS.bid, BID_REQUEST, 'bidList', async (request) => {
      const bid = makeBid(this.#world, request)
      return encodeBidList({ bids: bid === undefined ? [] : [{ bid }], asked: 1, members: 1 })
    })
    for (const change of ['member:dead', 'member:left'] as const)
      this.#components.members.addEventListener(change, this.#onGone)
    void repeat(LOOK_INTERVAL_MS, () => this.#healer.look(), {
      signal: this.#stop.signal,
      onError: (error) => this.#world.log.error('looking after workloads: %e', error)
    })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#soon)
    for (const change of ['member:dead', 'member:left'] as const)
      this.#components.members.removeEventListener(change, this.#onGone)
    for (const name of ['keep', 'assign', 'release', 'bid'] as const)
      await this.#wire.unhandle(PEER_PROTOCOLS[name])
  }

  async keep(bundle: Bundle, options: KeepOptions): Promise<void> {
    await this.#keeping.push(bundle, options)
  }

  mayResume(stored: StoredManifest, { signal }: { signal: AbortSignal }): Promise<boolean> {
    const check = (bytes: Uint8Array): CheckedRecord =>
      checkRecord(bytes, { networkId: this.#init.network.id, trust: this.#init.trust() })
    return mayResume(this.#world, stored, { check, hasOthers: this.#init.hasOthers?.() ?? true, signal })
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

  inspectKept(manifestId: Uint8Array, author: string): HeldVersionInit[] {
    const kept = this.#kept.get(manifestId)
    return kept?.record.ownerPeerId === author ? [inspectKept(kept, this.#world)] : []
  }

  reseal(from: SealingKey, to: SealingKey): Promise<void> {
    return resealKept(this.#world, this.#kept, { from, to })
  }

  healed(): readonly Healed[] {
    return this.#healer.recent()
  }

  #lookSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      this.#healer
        .look()
        .catch((error: unknown) => this.#world.log.error('looking after workloads: %e', error))
    }, QUIET_MS)
  }

  async #answerOwner({ payload, reply, signal }: OwnerRequest<CapacityRequest>): Promise<void> {
    const { bids, asked, members } = await collectBids(this.#world, payload.request, { signal })
    await reply.send(encodeBidList({ bids: [...bids], asked, members }), { last: true })
  }
}
