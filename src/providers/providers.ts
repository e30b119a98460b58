import { randomBytes } from 'node:crypto'
import type {
  ComponentLogger,
  ContentRouting,
  Libp2pEvents,
  Logger,
  PeerId,
  PeerStore,
  PrivateKey
} from '@libp2p/interface'
import { serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import type { TypedEventTarget } from 'main-event'
import { CID } from 'multiformats/cid'
import { toHex } from '../common/index.ts'
import {
  encodeLookup,
  encodeProviderList,
  LOOKUP,
  PROVIDER_LIST,
  type ProviderInit,
  type ProviderSource,
  QUERY,
  type Query
} from '../generated/fbs/index.ts'
import { type SigningKey, signingKeyFromSeed } from '../identity/index.ts'
import { type OwnerRequest, PEER_PROTOCOLS, PeerWire } from '../wire/index.ts'
import { Announcer } from './announcer.ts'
import { ASK_TIMEOUT_MS, MAX_LIST_BYTES, MAX_PROVIDERS } from './constants.ts'
import { findEach } from './find.ts'
import { ProviderCache } from './provider-cache.ts'
import { openProviderStatement, signProviderStatement } from './provider-statement.ts'
import type { FindOptions, ProvidedManifest, ProvidersInit, ProvidersService, ProviderView } from './types.ts'

export interface ProvidersComponents {
  readonly privateKey: PrivateKey
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly contentRouting: ContentRouting
  readonly peerStore: PeerStore
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
}

/** Lifecycle and wiring. Announcing stands in {@link Announcer}, the order of a search in {@link findEach}. */
export class Providers implements ProvidersService {
  readonly [Symbol.toStringTag] = '@beemesh/providers'
  readonly [serviceCapabilities]: string[] = ['@beemesh/providers']
  readonly [serviceDependencies]: string[] = ['@libp2p/identify', '@libp2p/kad-dht']
  readonly #components: ProvidersComponents
  readonly #init: ProvidersInit
  readonly #key: SigningKey
  readonly #now: () => number
  readonly #bootId: Uint8Array
  readonly #nodeName: string
  readonly #wire: PeerWire
  readonly #cache: ProviderCache
  readonly #announcer: Announcer
  readonly #local = new Map<string, () => ProvidedManifest | undefined>()
  readonly #log: Logger
  readonly #onConnect = () => this.#announcer.onNeighbour()

  constructor(components: ProvidersComponents, init: ProvidersInit) {
    const { registrar, connectionManager } = components // one by one: libp2p's components throw when they are spread
    this.#components = components
    this.#init = init
    this.#key = init.key ?? signingKeyFromSeed(components.privateKey.raw.subarray(0, 32))
    this.#now = init.now ?? Date.now
    this.#bootId = init.bootId ?? new Uint8Array(randomBytes(16))
    this.#nodeName = init.nodeName ?? this.#key.peerId.slice(-8).toLowerCase()
    this.#log = components.logger.forComponent('beemesh:providers')
    this.#wire = new PeerWire({
      registrar,
      connectionManager,
      key: this.#key,
      network: init.network,
      now: this.#now
    })
    this.#cache = new ProviderCache(this.#now)
    this.#announcer = new Announcer(components, this.#log)
    init.doors?.open('providers', QUERY, (request) => this.#answerOwner(request))
  }

  async start(): Promise<void> {
    await this.#wire.handle(PEER_PROTOCOLS.lookup, LOOKUP, 'providerList', async ({ manifestId }) => {
      const known = [...this.#localView(manifestId), ...this.#cache.leased(toHex(manifestId))].slice(
        0,
        MAX_PROVIDERS
      )
      return encodeProviderList({ manifestId, providers: withinFrame(known) })
    })
    this.#components.events.addEventListener('peer:connect', this.#onConnect)
  }

  async stop(): Promise<void> {
    this.#components.events.removeEventListener('peer:connect', this.#onConnect)
    this.#announcer.stop()
    this.#local.clear()
    await this.#wire.unhandle(PEER_PROTOCOLS.lookup)
  }

  announce(manifestId: Uint8Array, describe: () => ProvidedManifest | undefined): void {
    this.#local.set(toHex(manifestId), describe)
    this.#announcer.add(toHex(manifestId), manifestId)
  }

  withdraw(manifestId: Uint8Array): void {
    this.#local.delete(toHex(manifestId))
    this.#announcer.remove(toHex(manifestId))
  }

  isAnnounced(manifestId: Uint8Array): boolean {
    return this.#announcer.has(toHex(manifestId))
  }

  async find(manifestId: Uint8Array, options: FindOptions = {}): Promise<ProviderView[]> {
    const found: ProviderView[] = []
    for await (const view of this.findEach(manifestId, options)) found.push(view)
    return found
  }

  findEach(manifestId: Uint8Array, options: FindOptions = {}): AsyncIterable<ProviderView> {
    const { connectionManager } = this.#components
    const key = toHex(manifestId)
    return findEach(
      {
        self: this.#key.peerId,
        local: () => this.#localView(manifestId),
        cached: () => this.#cache.get(key),
        forget: (peerId) => this.#cache.forget(key, peerId),
        connected: () => [...connectionManager.getConnectionsMap().keys()].map((peer) => peer.toString()),
        ask: (peerId, source, signal) => this.#ask(peerIdFromString(peerId), manifestId, source, signal),
        dht: (signal) => this.#walk(manifestId, signal)
      },
      options
    )
  }

  #localView(manifestId: Uint8Array): ProviderView[] {
    const provided = this.#local.get(toHex(manifestId))?.()
    if (provided === undefined) return []
    const context = { key: this.#key, networkId: this.#init.network.id, nowMs: this.#now() }
    const node = { nodeName: this.#nodeName, bootId: this.#bootId }
    const statement = signProviderStatement(manifestId, provided, { ...context, ...node })
    return [openProviderStatement(statement, { ...context, manifestId, source: 'local' })]
  }

  /** One node's answer: what it says of itself, and what others told it. */
  async #ask(
    peer: PeerId,
    manifestId: Uint8Array,
    source: ProviderSource,
    signal: AbortSignal
  ): Promise<ProviderView[]> {
    const answer = { type: 'providerList', root: PROVIDER_LIST } as const
    const request = encodeLookup({ manifestId })
    const limit = { signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)]) }
    const { providers } = await this.#wire.ask(peer, PEER_PROTOCOLS.lookup, request, answer, limit)
    const context = { manifestId, networkId: this.#init.network.id, nowMs: this.#now(), source }
    const views = providers.flatMap(({ statement }) => {
      try {
        return [openProviderStatement(statement, context)]
      } catch (error) {
        this.#log('statement passed on by %p refused: %e', peer, error)
        return []
      }
    })
    for (const view of views) if (view.peerId !== this.#key.peerId) this.#cache.put(toHex(manifestId), view)
    return views
  }

  async *#walk(manifestId: Uint8Array, signal: AbortSignal): AsyncGenerator<string> {
    if (!(await this.#hasDhtNeighbour())) return // because a look-up waits for one until its deadline
    for await (const { id } of this.#components.contentRouting.findProviders(CID.decode(manifestId), {
      signal
    }))
      yield id.toString()
  }

  /** Connections of clients and of other networks do not count. */
  async #hasDhtNeighbour(): Promise<boolean> {
    const { connectionManager, peerStore } = this.#components
    for (const { remotePeer } of connectionManager.getConnections()) {
      const { protocols } = await peerStore.get(remotePeer).catch(() => ({ protocols: [] as string[] }))
      if (protocols.some((protocol) => protocol.includes('/kad/'))) return true
    }
    return false
  }

  async #answerOwner({ payload, reply, signal }: OwnerRequest<Query>): Promise<void> {
    const ids = payload.manifestIds.map(({ value }) => value).filter((id) => id.byteLength === 36)
    const answers = await Promise.all(
      ids.map(async (manifestId) => ({ manifestId, found: await this.find(manifestId, { signal }) }))
    )
    for (const [index, { manifestId, found }] of answers.entries()) {
      const providers = withinFrame(found)
      await reply.send(encodeProviderList({ manifestId, providers }), {
        last: index === ids.length - 1,
        signal
      })
    }
    if (ids.length === 0)
      await reply.send(encodeProviderList({ manifestId: new Uint8Array(36) }), { last: true })
  }
}

/** As many statements as one frame takes, best first. */
function withinFrame(views: readonly ProviderView[]): ProviderInit[] {
  let bytes = 0
  return views
    .filter(({ statement }) => {
      bytes += statement.byteLength
      return bytes <= MAX_LIST_BYTES
    })
    .map(({ statement, source }) => ({ statement, source }))
}
