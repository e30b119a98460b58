import { randomBytes } from 'node:crypto'
import type { IdentifyResult, PeerId } from '@libp2p/interface'
import { serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { fromHex, toHex } from '../common/index.ts'
import { encodeProviderList, LOOKUP, QUERY } from '../generated/fbs/index.ts'
import { type SigningKey, signingKeyFromSeed } from '../identity/index.ts'
import { PEER_PROTOCOLS, PeerWire } from '../wire/index.ts'
import { Announcer } from './announce/announcer.ts'
import { ProviderGossip } from './announce/gossip.ts'
import { Leases } from './announce/leases.ts'
import { OwnStatements } from './announce/own-statements.ts'
import { answerOwner, withinFrame } from './answer-owner.ts'
import { LEASE_MS, MAX_PROVIDERS } from './constants.ts'
import { speaksDht } from './dht.ts'
import { Asking } from './search/asking.ts'
import { findEach, type SearchOptions } from './search/find.ts'
import { Penalties } from './search/penalties.ts'
import { ProviderCache } from './search/provider-cache.ts'
import { best, matches, type Surroundings } from './search/select.ts'
import { SharedSearches } from './search/shared-search.ts'
import type {
  FindOptions,
  ProvidedManifest,
  ProvidersComponents,
  ProvidersInit,
  ProvidersService,
  ProviderView
} from './types.ts'

/** Lifecycle and wiring. Announcing stands in {@link Announcer}, the order of a search in {@link findEach}. */
export class Providers implements ProvidersService {
  readonly [Symbol.toStringTag] = '@beemesh/providers'
  readonly [serviceCapabilities]: string[] = ['@beemesh/providers']
  readonly [serviceDependencies]: string[]
  readonly #components: ProvidersComponents
  readonly #init: ProvidersInit
  readonly #key: SigningKey
  readonly #now: () => number
  readonly #wire: PeerWire
  readonly #cache: ProviderCache
  readonly #announcer: Announcer
  readonly #gossip: ProviderGossip
  readonly #leases: Leases
  readonly #penalties: Penalties
  readonly #searches = new SharedSearches()
  readonly #own: OwnStatements
  readonly #asking: Asking
  readonly #onConnect = ({ detail }: CustomEvent<PeerId>) => {
    this.#penalties.forgive(detail.toString())
  }
  readonly #onIdentify = ({ detail }: CustomEvent<IdentifyResult>) => {
    if (speaksDht(detail.protocols)) this.#announcer.onChange()
  }
  readonly #onAddress = () => this.#announcer.onChange()
  readonly #onDisconnect = ({ detail }: CustomEvent<PeerId>) => this.lose(detail.toString())

  constructor(components: ProvidersComponents, init: ProvidersInit) {
    const { registrar, connectionManager, metrics } = components // one by one: libp2p's components throw when they are spread
    this.#components = components
    this.#init = init
    this.#key = init.key ?? signingKeyFromSeed(components.privateKey.raw.subarray(0, 32))
    this.#now = init.now ?? Date.now
    const bootId = init.bootId ?? new Uint8Array(randomBytes(16))
    const log = components.logger.forComponent('beemesh:providers')
    const { network } = init
    const now = this.#now
    this.#wire = new PeerWire({ registrar, connectionManager, key: this.#key, network, now })
    this.#cache = new ProviderCache(now)
    this.#penalties = new Penalties(now)
    this.#announcer = new Announcer(components, log)
    const isMember = (peerId: string) => init.isMember?.(peerId) ?? true
    this.#own = new OwnStatements({
      key: this.#key,
      networkId: network.id,
      nodeName: init.nodeName ?? this.#key.peerId.slice(-8).toLowerCase(),
      bootId,
      labels: init.labels,
      capabilities: init.capabilities,
      now
    })
    this.#asking = new Asking({
      components,
      self: this.#key.peerId,
      networkId: network.id,
      wire: this.#wire,
      cache: this.#cache,
      penalties: this.#penalties,
      isMember,
      now,
      log
    })
    this.#leases = new Leases({
      wire: this.#wire,
      connectionManager,
      cache: this.#cache,
      bootId,
      now,
      log,
      provided: (key) => this.#own.provided(key)
    })
    this.#gossip = new ProviderGossip({
      network,
      now,
      log,
      isMember,
      onStatement: (view) => this.#onStatement(view),
      onHostile: (peer) => void connectionManager.closeConnections(peer).catch(() => {}),
      refused: metrics?.registerCounterGroup('beemesh_provider_gossip_refused_total', { label: 'reason' })
    })
    this[serviceDependencies] = [
      '@libp2p/identify',
      '@libp2p/kad-dht',
      ...(init.gossip ? ['@libp2p/pubsub'] : [])
    ]
    init.doors?.open('providers', QUERY, (request) =>
      answerOwner(request, (manifestId, options) => this.find(manifestId, options))
    )
  }

  async start(): Promise<void> {
    await this.#wire.handle(PEER_PROTOCOLS.lookup, LOOKUP, 'providerList', async ({ manifestId }, from) => {
      const key = toHex(manifestId)
      const own = this.#own.views(manifestId)
      if (own.length > 0) this.#leases.noteAsked(from, key)
      const known = [...own, ...this.#cache.leased(key)].slice(0, MAX_PROVIDERS)
      return encodeProviderList({ manifestId, providers: withinFrame(known) })
    })
    await this.#leases.start()
    this.#components.events.addEventListener('peer:connect', this.#onConnect)
    this.#components.events.addEventListener('peer:identify', this.#onIdentify)
    this.#components.events.addEventListener('self:peer:update', this.#onAddress)
    this.#components.events.addEventListener('peer:disconnect', this.#onDisconnect)
  }

  /** Gossip starts beside this service, so it is joined when everything has started. */
  afterStart(): void {
    if (this.#init.gossip) this.#gossip.start(this.#components.pubsub!)
  }

  /** Before anything stops: takes back what was said, while there is still somebody to hear it. */
  async beforeStop(): Promise<void> {
    for (const key of this.#own.keys()) this.withdraw(fromHex(key))
    await this.#leases.stop()
    this.#gossip.stop()
  }

  async stop(): Promise<void> {
    this.#components.events.removeEventListener('peer:connect', this.#onConnect)
    this.#components.events.removeEventListener('peer:identify', this.#onIdentify)
    this.#components.events.removeEventListener('self:peer:update', this.#onAddress)
    this.#components.events.removeEventListener('peer:disconnect', this.#onDisconnect)
    this.#announcer.stop()
    this.#own.clear()
    await this.#wire.unhandle(PEER_PROTOCOLS.lookup)
  }

  announce(manifestId: Uint8Array, describe: () => ProvidedManifest | undefined): void {
    const key = toHex(manifestId)
    this.#own.set(key, describe)
    this.#leases.onChange(key)
    if (this.#init.announce === false) return
    this.#announcer.add(key, manifestId)
    const [view] = this.#own.views(manifestId)
    if (view !== undefined) this.#gossip.publish(view.statement)
  }

  withdraw(manifestId: Uint8Array): void {
    const key = toHex(manifestId)
    const version = this.#own.provided(key)?.version ?? 0
    const wasProvided = this.#own.delete(key)
    this.#announcer.remove(key)
    this.#leases.onChange(key)
    if (!wasProvided || this.#init.announce === false) return
    this.#gossip.publish(this.#own.sign(manifestId, { version, workloads: [] }))
  }

  isAnnounced(manifestId: Uint8Array): boolean {
    return this.#announcer.has(toHex(manifestId))
  }

  lose(peerId: string): void {
    this.#cache.expire(peerId)
  }

  async find(manifestId: Uint8Array, options: FindOptions = {}): Promise<ProviderView[]> {
    const known = options.fresh ? undefined : this.#cache.complete(toHex(manifestId))
    const found: ProviderView[] = []
    if (known !== undefined) {
      for (const view of known) if (matches(view, options)) found.push(view)
      for (const view of this.#own.views(manifestId)) if (matches(view, options)) found.push(view)
    } else {
      const enough = Math.min(options.limit ?? MAX_PROVIDERS, MAX_PROVIDERS)
      for await (const view of this.findEach(manifestId, options)) if (found.push(view) >= enough) break
    }
    return found.length < 2 ? found : best(found, options, this.#surroundings)
  }

  async *findEach(manifestId: Uint8Array, options: FindOptions = {}): AsyncGenerator<ProviderView> {
    const { fresh = false, signal } = options
    let left = Math.min(options.limit ?? MAX_PROVIDERS, MAX_PROVIDERS)
    const start = (given: AbortSignal) => this.#search(manifestId, { fresh, signal: given })
    for await (const view of this.#searches.read(`${fresh} ${toHex(manifestId)}`, start, signal)) {
      if (!matches(view, options)) continue
      yield view
      if (--left === 0) return
    }
  }

  #search(manifestId: Uint8Array, options: SearchOptions): AsyncGenerator<ProviderView> {
    const { connectionManager } = this.#components
    const key = toHex(manifestId)
    return findEach(
      {
        self: this.#key.peerId,
        local: () => this.#own.views(manifestId),
        cached: () => this.#cache.get(key),
        leased: () => this.#cache.leased(key),
        deny: (peerId) => this.#cache.deny(key, peerId),
        connected: () =>
          [...connectionManager.getConnectionsMap().keys()]
            .map((peer) => peer.toString())
            .filter((peerId) => !this.#penalties.has(peerId)),
        ask: (peerId, source, signal) =>
          this.#asking.ask(peerIdFromString(peerId), manifestId, source, signal),
        dht: (signal) => this.#asking.walk(manifestId, signal),
        onComplete: () => this.#cache.markComplete(key)
      },
      options
    )
  }

  get #surroundings(): Surroundings {
    const { connectionManager } = this.#components
    return {
      self: this.#key.peerId,
      labels: this.#init.labels ?? {},
      roundTripMs: (peerId) => connectionManager.getConnections(peerIdFromString(peerId))[0]?.rtt
    }
  }

  /** Somebody said something new by gossip: only what was asked for here is kept, so that nobody can fill the cache. */
  #onStatement(view: ProviderView): void {
    const key = toHex(view.manifestId)
    if (!this.#cache.has(key)) return
    if (view.workloads.length === 0) this.#cache.deny(key, view.peerId, view.issuedAtMs)
    else this.#cache.put(key, view, Math.min(view.leaseUntilMs, this.#now() + LEASE_MS))
    // because it renews its lease only for those who asked it, it is asked when this one is over
  }
}
