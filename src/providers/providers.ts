import { randomBytes } from 'node:crypto'
import type { IdentifyResult, PeerId } from '@libp2p/interface'
import { serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import { fromHex, toHex } from '../common/index.ts'
import { LOOKUP, type Lookup, QUERY } from '../generated/fbs/index.ts'
import { publicKeyFromPeerId, type SigningKey, signingKeyFromSeed } from '../identity/index.ts'
import {
  Conduct,
  type JudgedTopic,
  PEER_PROTOCOLS,
  type PeerRequests,
  PeerWire,
  Penalties
} from '../wire/index.ts'
import { Announcer } from './announce/announcer.ts'
import { eventsTopic } from './announce/events-topic.ts'
import { Leases } from './announce/leases.ts'
import { OwnStatements } from './announce/own-statements.ts'
import { answerOwner, canBeChecked, listFor } from './answers.ts'
import { LEASE_MS, MAX_HINTS } from './constants.ts'
import { speaksDht } from './dht.ts'
import { isDenial } from './provider-statement.ts'
import { Asking } from './search/asking.ts'
import { Finder } from './search/finder.ts'
import { ProviderCache } from './search/provider-cache.ts'
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
  readonly #wire: PeerRequests
  readonly #cache: ProviderCache
  readonly #announcer: Announcer
  readonly #gossip: JudgedTopic<ProviderView>
  readonly #leases: Leases
  readonly #penalties: Penalties
  readonly #own: OwnStatements
  readonly #asking: Asking
  readonly #finder: Finder
  readonly #onConnect = ({ detail }: CustomEvent<PeerId>) => this.regain(detail.toString())
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
    const disconnect = (peer: PeerId) => connectionManager.closeConnections(peer)
    const conduct = init.conduct ?? new Conduct({ now, host: { disconnect, metrics } })
    this.#wire =
      init.wire ?? new PeerWire({ registrar, connectionManager, key: this.#key, network, conduct, now })
    this.#cache = new ProviderCache(now)
    this.#penalties = new Penalties(now)
    this.#announcer = new Announcer(components, log)
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
      isMember: (peerId) => this.#isMember(peerId),
      now,
      log
    })
    this.#finder = new Finder({
      self: this.#key.peerId,
      labels: init.labels ?? {},
      cache: this.#cache,
      penalties: this.#penalties,
      asking: this.#asking,
      connectionManager,
      isGone: init.isGone,
      own: this.#own
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
    this.#gossip = eventsTopic({
      network,
      isMember: (peerId) => this.#isMember(peerId),
      take: (view) => this.#onStatement(view),
      conduct,
      now,
      log
    })
    this[serviceDependencies] = [
      '@libp2p/identify',
      '@libp2p/kad-dht',
      ...(init.gossip ? ['@libp2p/pubsub'] : [])
    ]
    init.doors?.open('providers', QUERY, (request) =>
      answerOwner(request, (manifestId, options) => this.find(manifestId, options), now)
    )
  }

  async start(): Promise<void> {
    await this.#wire.handle(PEER_PROTOCOLS.lookup, LOOKUP, 'providerList', async (lookup, from) =>
      this.#answerPeer(lookup, from)
    )
    await this.#leases.start()
    this.#listen('addEventListener')
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
    this.#listen('removeEventListener')
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
    this.#gossip.publish(this.#own.signDenial(manifestId, version))
  }

  leased(manifestId: Uint8Array): ProviderView[] {
    return [...this.#own.views(manifestId), ...this.#cache.leased(toHex(manifestId))]
  }

  unheard(manifestId: Uint8Array): number {
    return this.#cache.unheard(toHex(manifestId))
  }

  isAnnounced(manifestId: Uint8Array): boolean {
    return this.#announcer.has(toHex(manifestId))
  }

  lose(peerId: string): void {
    this.#cache.expire(peerId)
    this.#finder.lose(peerId)
  }

  regain(peerId: string): void {
    this.#penalties.forgive(peerId)
    if (this.#isMember(peerId)) this.#cache.markAllIncomplete() // because owners' commands come and go all the time
  }

  find(manifestId: Uint8Array, options?: FindOptions): Promise<ProviderView[]> {
    return this.#finder.find(manifestId, options)
  }

  findEach(manifestId: Uint8Array, options?: FindOptions): AsyncGenerator<ProviderView> {
    return this.#finder.findEach(manifestId, options)
  }

  async #answerPeer({ manifestId }: Lookup, from: string): Promise<Uint8Array> {
    const key = toHex(manifestId)
    const own = this.#own.views(manifestId)
    if (own.length > 0) this.#leases.noteAsked(from, key)
    const leased = this.#cache.leased(key)
    const views = [...own, ...leased.filter((view) => canBeChecked(view, this.#now()))]
    const hints =
      views.length > 0
        ? []
        : [...leased.map(({ peerId }) => peerId), ...(await this.#asking.hints(manifestId))]
    return listFor(manifestId, views, [...new Set(hints)].slice(0, MAX_HINTS).map(publicKeyFromPeerId))
  }

  #isMember(peerId: string): boolean {
    return this.#init.isMember?.(peerId) ?? true
  }

  #listen(how: 'addEventListener' | 'removeEventListener'): void {
    const { events } = this.#components
    events[how]('peer:connect', this.#onConnect)
    events[how]('peer:identify', this.#onIdentify)
    events[how]('peer:disconnect', this.#onDisconnect)
    events[how]('self:peer:update', this.#onAddress)
  }

  /** Somebody said something new by gossip: only what was asked for here is kept, so that nobody can fill the cache. */
  #onStatement(view: ProviderView): true {
    const key = toHex(view.manifestId)
    if (!this.#cache.has(key)) return true
    if (isDenial(view)) this.#cache.deny(key, view.peerId, { atMs: view.issuedAtMs, bootId: view.bootId })
    else this.#cache.put(key, view, Math.min(view.leaseUntilMs, this.#now() + LEASE_MS))
    return true // because it renews its lease only for those who asked it, it is asked when this one is over
  }
}
