import type {
  ComponentLogger,
  Connection,
  Libp2pEvents,
  Logger,
  PeerId,
  PeerStore,
  PrivateKey
} from '@libp2p/interface'
import { serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import type { AddressManager, ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { TypedEventEmitter, type TypedEventTarget } from 'main-event'
import { delay } from '../common/index.ts'
import { encodeMemberList, MEMBER_LIST, type MemberInit, QUERY } from '../generated/fbs/index.ts'
import { networkTag, type SigningKey, signingKeyFromSeed } from '../identity/index.ts'
import { type OwnerRequest, PEER_PROTOCOLS, PeerWire, protocolId } from '../wire/index.ts'
import { BootstrapDialler } from './bootstrap-dialler.ts'
import {
  BOOTSTRAP_INTERVAL_MS,
  DIAL_CONCURRENCY,
  EXCHANGE_INTERVAL_MS,
  MAX_DIALLED,
  MAX_RELAYED_ADDRESSES,
  STATEMENT_INTERVAL_MS,
  STATEMENTS_PER_FRAME
} from './constants.ts'
import { bestConnection, dialMember, isRelayed } from './dial-member.ts'
import { MemberTable } from './member-table.ts'
import { MAX_ADDRESSES, signNodeStatement } from './node-statement.ts'
import type { Gossip, MembersEvents, MembersInit, MembersService, MemberView } from './types.ts'

export interface MembersComponents {
  readonly privateKey: PrivateKey
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly addressManager: AddressManager
  readonly peerStore: PeerStore
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
  readonly pubsub?: Gossip
}

/** Lifecycle and wiring; what is known stands in {@link MemberTable}. */
export class Members extends TypedEventEmitter<MembersEvents> implements MembersService {
  readonly [Symbol.toStringTag] = '@beemesh/members'
  readonly [serviceCapabilities]: string[] = ['@beemesh/members']
  readonly [serviceDependencies]: string[]
  readonly #components: MembersComponents
  readonly #init: MembersInit
  readonly #key: SigningKey
  readonly #now: () => number
  readonly #table: MemberTable
  readonly #wire: PeerWire
  readonly #bootstrap: BootstrapDialler
  readonly #log: Logger
  readonly #dialQueue = new Set<string>()
  readonly #refreshSoon = () => {
    this.refresh()
    if (!this.#joining && this.#components.addressManager.getAddresses().length > 0) void this.#join()
  }
  #dialling = 0
  #gossiping = false
  #joining = false
  #stop = new AbortController()
  #statement: { readonly statement?: Uint8Array; readonly signedAtMs: number } = { signedAtMs: 0 }
  #topology: string | undefined

  constructor(components: MembersComponents, init: MembersInit) {
    super()
    const { registrar, connectionManager } = components // one by one: libp2p's components throw when they are spread
    this.#components = components
    this.#init = init
    this.#key = init.key ?? signingKeyFromSeed(components.privateKey.raw.subarray(0, 32))
    this.#now = init.now ?? Date.now
    this.#log = components.logger.forComponent('beemesh:members')
    this.#table = new MemberTable({ networkId: init.network.id, now: this.#now })
    this.#wire = new PeerWire({
      registrar,
      connectionManager,
      key: this.#key,
      network: init.network,
      now: this.#now
    })
    this.#bootstrap = new BootstrapDialler({
      addresses: init.bootstrap ?? [],
      self: this.#key.peerId,
      connectionManager,
      log: this.#log,
      now: this.#now
    })
    this[serviceDependencies] = ['@libp2p/identify', ...(init.gossip ? ['@libp2p/pubsub'] : [])]
    init.doors?.open('members', QUERY, (request) => this.#answerOwner(request))
  }

  async start(): Promise<void> {
    this.#stop = new AbortController()
    const { registrar, events, addressManager } = this.#components
    await this.#wire.handle(PEER_PROTOCOLS.exchange, MEMBER_LIST, 'memberExchange', async (theirs) => {
      this.#merge(theirs.members.map(({ statement }) => statement))
      return this.#listForPeer()
    })
    this.#topology = await registrar.register(
      protocolId(networkTag(this.#init.network), PEER_PROTOCOLS.exchange.name),
      {
        notifyOnLimitedConnection: true,
        onConnect: (peer) => {
          // because one exchange serves both, only one side starts it; the periodic one mends what this one missed
          if (this.#key.peerId < peer.toString()) void this.#exchange(peer)
        }
      }
    )
    events.addEventListener('self:peer:update', this.#refreshSoon)
    // too, because a node that is started again with the addresses it had hears of no update, and would say it has none
    events.addEventListener('transport:listening', this.#refreshSoon)
    this.#joining = false
    if (addressManager.getListenAddrs().length === 0) void this.#join()
    void this.#repeat(BOOTSTRAP_INTERVAL_MS, () => this.#bootstrap.dial({ signal: this.#stop.signal }))
    void this.#repeat(EXCHANGE_INTERVAL_MS, () => this.#exchangeWithOne())
    void this.#repeat(STATEMENT_INTERVAL_MS, async () => this.refresh())
  }

  /** Gossip starts beside this service, so it is joined when everything has started. */
  afterStart(): void {
    if (!this.#init.gossip) return
    this.#components.pubsub!.addEventListener('message', this.#onGossip)
    this.#components.pubsub!.subscribe(this.#topic)
    this.#gossiping = true
    this.refresh()
  }

  /** Left before anything stops, for the same reason. */
  beforeStop(): void {
    if (!this.#gossiping) return
    this.#gossiping = false
    this.#components.pubsub!.removeEventListener('message', this.#onGossip)
    this.#components.pubsub!.unsubscribe(this.#topic)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    const { registrar, events } = this.#components
    events.removeEventListener('self:peer:update', this.#refreshSoon)
    events.removeEventListener('transport:listening', this.#refreshSoon)
    if (this.#topology !== undefined) registrar.unregister(this.#topology)
    await this.#wire.unhandle(PEER_PROTOCOLS.exchange)
  }

  self(): MemberView {
    const { signedAtMs, statement } = this.#statement
    // also when the clock jumped: an old statement of our own would be refused even by us
    if (statement === undefined || Math.abs(this.#now() - signedAtMs) > STATEMENT_INTERVAL_MS) this.#renew()
    const node = this.#table.open(this.#statement.statement!)
    return { ...node, self: true, connected: true, relayed: false, lastSeenMs: this.#now(), roundTripMs: 0 }
  }

  list(): MemberView[] {
    const others = this.#table.list().filter(({ peerId }) => peerId !== this.#key.peerId)
    return [this.self(), ...others.map((entry) => this.#view(entry))]
  }

  get(peerId: string): MemberView | undefined {
    if (peerId === this.#key.peerId) return this.self()
    const entry = this.#table.get(peerId)
    return entry === undefined ? undefined : this.#view(entry)
  }

  refresh(): void {
    if (this.#stop.signal.aborted) return
    const statement = this.#renew()
    if (this.#gossiping)
      this.#components
        .pubsub!.publish(this.#topic, statement)
        .catch((error: unknown) => this.#log('gossip: %e', error))
  }

  get #topic(): string {
    return `/beemesh/${networkTag(this.#init.network)}/members`
  }

  #renew(): Uint8Array {
    const statement = this.#sign()
    this.#statement = { statement, signedAtMs: this.#now() }
    return statement
  }

  #sign(): Uint8Array {
    const addresses = this.#components.addressManager
      .getAddresses()
      .map((address) => address.toString().replace(/\/p2p\/[^/]+$/, ''))
    const relayed = addresses.filter(isRelayed).slice(0, MAX_RELAYED_ADDRESSES)
    const direct = addresses.filter((address) => !isRelayed(address)).slice(0, MAX_ADDRESSES - relayed.length)
    return signNodeStatement(
      { ...this.#init.describe(), addresses: [...direct, ...relayed] },
      { key: this.#key, networkId: this.#init.network.id, nowMs: this.#now() }
    )
  }

  #view(entry: ReturnType<MemberTable['list']>[number]): MemberView {
    const connection = this.#connection(entry.peerId)
    return {
      ...entry,
      self: false,
      connected: connection !== undefined,
      relayed: connection?.direct === false,
      lastSeenMs: connection === undefined ? entry.lastSeenMs : this.#now(),
      roundTripMs: connection?.rtt
    }
  }

  #connection(peerId: string): Connection | undefined {
    return bestConnection(this.#components.connectionManager, peerId)
  }

  /** Takes in statements; a bad one is dropped, it says nothing about the others in the same list. */
  #merge(statements: readonly Uint8Array[]): void {
    for (const statement of statements) {
      const entry = this.#table.merge(statement)
      if (entry === undefined || entry.peerId === this.#key.peerId) continue
      this.safeDispatchEvent('member:update', { detail: this.#view(entry) })
      if (this.#connection(entry.peerId) === undefined && entry.addresses.length > 0)
        this.#dialSoon(entry.peerId)
    }
  }

  #members(): MemberInit[] {
    return this.list().map((member) => ({
      statement: member.statement,
      lastSeen: member.lastSeenMs,
      connected: member.connected,
      relayed: member.relayed,
      roundTripMs: Math.round(member.roundTripMs ?? 0)
    }))
  }

  #listForPeer(): Uint8Array {
    const [self, ...others] = this.#members()
    const connectedFirst = others.sort(
      (a, b) => Number(b.connected) - Number(a.connected) || Math.random() - 0.5
    )
    return encodeMemberList({ members: [self!, ...connectedFirst].slice(0, STATEMENTS_PER_FRAME) })
  }

  async #answerOwner({ reply, signal }: OwnerRequest<unknown>): Promise<void> {
    const all = this.#members()
    for (let from = 0; from === 0 || from < all.length; from += STATEMENTS_PER_FRAME) {
      const members = all.slice(from, from + STATEMENTS_PER_FRAME)
      await reply.send(encodeMemberList({ members }), {
        last: from + STATEMENTS_PER_FRAME >= all.length,
        signal
      })
    }
  }

  async #exchange(peer: PeerId): Promise<void> {
    try {
      const answer = { type: 'memberExchange', root: MEMBER_LIST } as const
      const { signal } = this.#stop
      const theirs = await this.#wire.ask(peer, PEER_PROTOCOLS.exchange, this.#listForPeer(), answer, {
        signal
      })
      this.#merge(theirs.members.map(({ statement }) => statement))
    } catch (error) {
      this.#log('exchange with %p: %e', peer, error)
    }
  }

  async #exchangeWithOne(): Promise<void> {
    const peers = [...this.#components.connectionManager.getConnectionsMap().keys()]
    const peer = peers[Math.floor(Math.random() * peers.length)]
    if (peer !== undefined) await this.#exchange(peer)
  }

  /** Once it listens: one that identifies itself without an address is left out of the other side's DHT for good. */
  #join(): Promise<void> {
    this.#joining = true
    return this.#bootstrap.dial({ signal: this.#stop.signal })
  }

  #dialSoon(peerId: string): void {
    const { connectionManager } = this.#components
    if (this.#dialQueue.size >= MAX_DIALLED || connectionManager.getConnections().length >= MAX_DIALLED)
      return
    this.#dialQueue.add(peerId)
    while (this.#dialling < DIAL_CONCURRENCY && this.#dialQueue.size > 0) void this.#dialNext()
  }

  async #dialNext(): Promise<void> {
    const peerId = this.#dialQueue.values().next().value!
    this.#dialQueue.delete(peerId)
    this.#dialling++
    try {
      const addresses = this.#table.get(peerId)?.addresses ?? []
      await dialMember(
        this.#components.connectionManager,
        { peerId, addresses },
        { signal: this.#stop.signal }
      )
    } catch (error) {
      this.#log('dial %s: %e', peerId, error)
    } finally {
      this.#dialling--
    }
    if (this.#dialQueue.size > 0 && !this.#stop.signal.aborted) void this.#dialNext()
  }

  readonly #onGossip = (event: { detail: { topic: string; data: Uint8Array } }): void => {
    if (event.detail.topic === this.#topic) this.#merge([event.detail.data])
  }

  async #repeat(intervalMs: number, act: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await delay(intervalMs * (0.9 + Math.random() * 0.2), { signal }).catch(() => {})
      if (!signal.aborted) await act().catch((error) => this.#log('%e', error))
    }
  }
}
