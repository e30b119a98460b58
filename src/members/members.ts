import type { Logger, PeerId } from '@libp2p/interface'
import { serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import { repeat, timeoutSignal } from '../common/index.ts'
import { QUERY } from '../generated/fbs/index.ts'
import { networkTag, type SigningKey, signingKeyFromSeed } from '../identity/index.ts'
import { Conduct, type JudgedTopic, PEER_PROTOCOLS, PeerWire, protocolId } from '../wire/index.ts'
import { answerOwner } from './answer-owner.ts'
import {
  BOOTSTRAP_INTERVAL_MS,
  EXCHANGE_INTERVAL_MS,
  GOODBYE_TIMEOUT_MS,
  STATEMENT_CHECK_MS
} from './constants.ts'
import { Liveness } from './detector/liveness.ts'
import { bestConnection } from './dial/dial-member.ts'
import { Dialler } from './dial/dialler.ts'
import { NeighbourWatch } from './dial/neighbour-watch.ts'
import { type MemberEntry, MemberTable } from './member-table.ts'
import { NodeEvents } from './node-events.ts'
import { OwnStatement } from './own-statement.ts'
import { Exchange } from './spread/exchange.ts'
import { Intake } from './spread/intake.ts'
import { membersTopic } from './spread/members-topic.ts'
import type {
  MembersComponents,
  MembersEvents,
  MembersInit,
  MembersService,
  MemberView,
  NodeEvent,
  NodeView
} from './types.ts'

/** Lifecycle and wiring; what is known stands in {@link MemberTable}, who is there in {@link Liveness}. */
export class Members extends TypedEventEmitter<MembersEvents> implements MembersService {
  readonly [Symbol.toStringTag] = '@beemesh/members'
  readonly [serviceCapabilities]: string[] = ['@beemesh/members']
  readonly [serviceDependencies]: string[]
  readonly #components: MembersComponents
  readonly #init: MembersInit
  readonly #key: SigningKey
  readonly #now: () => number
  readonly #table: MemberTable
  readonly #own: OwnStatement
  /** The own statement as others read it; opened once, because it is asked for all the time. */
  #self: { readonly bytes: Uint8Array; readonly node: NodeView } | undefined
  readonly #dialler: Dialler
  readonly #liveness: Liveness
  readonly #exchange: Exchange
  readonly #gossip: JudgedTopic<NodeView>
  readonly #intake: Intake
  readonly #events: NodeEvents
  readonly #neighbours = new NeighbourWatch()
  readonly #log: Logger
  readonly #refreshSoon = () => {
    this.refresh()
    if (!this.#joining && this.#components.addressManager.getAddresses().length > 0) void this.#join()
  }
  #joining = false
  #stop = new AbortController()
  #topology: string | undefined

  constructor(components: MembersComponents, init: MembersInit) {
    super()
    const { registrar, connectionManager, events, addressManager } = components // one by one: libp2p's components throw when they are spread
    const { network, describe } = init
    this.#components = components
    this.#init = init
    const key = init.key ?? signingKeyFromSeed(components.privateKey.raw.subarray(0, 32))
    const now = init.now ?? Date.now
    this.#key = key
    this.#now = now
    this.#log = components.logger.forComponent('beemesh:members')
    this.#events = new NodeEvents({
      now,
      onEvent: (detail) => this.safeDispatchEvent('member:event', { detail })
    })
    this.#table = new MemberTable({
      networkId: network.id,
      now,
      isGone: (peerId) => ['dead', 'left'].includes(this.#liveness.stateOf(peerId)),
      onDropped: (peerId) => {
        this.#liveness.forget(peerId)
        this.#events.forget(peerId)
      }
    })
    this.#own = new OwnStatement({ key, networkId: network.id, addressManager, describe, now })
    this.#dialler = new Dialler({
      connectionManager,
      self: key.peerId,
      bootstrap: init.bootstrap ?? [],
      addressesOf: (peerId) => this.#table.get(peerId)?.addresses ?? [],
      now,
      onFailed: (peerId) => this.#liveness.doubt(peerId),
      log: this.#log
    })
    this.#liveness = new Liveness({
      registrar,
      connectionManager,
      events,
      key,
      network,
      isKnown: (peerId) => this.#table.get(peerId) !== undefined,
      dial: (peerId, options) => this.#dialler.dial(peerId, { ...options, relaysFirst: true }),
      onState: (peerId, state) => {
        const node = this.#table.get(peerId)
        if (node !== undefined) this.#events.became(state, node)
        this.safeDispatchEvent(`member:${state}`, { detail: { peerId } })
      }
    })
    const disconnect = (peer: PeerId) => connectionManager.closeConnections(peer)
    const conduct = init.conduct ?? new Conduct({ now, host: { disconnect } })
    this.#intake = new Intake({
      self: key.peerId,
      table: this.#table,
      events: this.#events,
      liveness: this.#liveness,
      dialler: this.#dialler,
      conduct,
      onUpdate: (entry) => this.safeDispatchEvent('member:update', { detail: this.#view(entry) }),
      onOwn: ({ issuedAtMs }) => {
        if (this.#own.outrun(issuedAtMs)) this.refresh()
      }
    })
    this.#exchange = new Exchange({
      wire: new PeerWire({ registrar, connectionManager, key, network, conduct, now }),
      connectionManager,
      log: this.#log,
      list: () => this.list(),
      get: (peerId) => this.get(peerId),
      merge: (statements, from) => this.#intake.merge(statements, from)
    })
    this.#gossip = membersTopic({
      network,
      table: this.#table,
      take: (node) => this.#intake.take(node),
      conduct,
      now,
      log: this.#log
    })
    this[serviceDependencies] = ['@libp2p/identify', ...(init.gossip ? ['@libp2p/pubsub'] : [])]
    init.doors?.open('members', QUERY, (request) => answerOwner(request, this.list(), init.revocationsOf))
  }

  async start(): Promise<void> {
    this.#stop = new AbortController()
    this.#intake.closed = false
    this.#own.reset() // because the last one was a goodbye
    this.#dialler.start()
    const { registrar, events, addressManager } = this.#components
    await this.#exchange.start()
    await this.#liveness.start()
    for (const entry of this.#table.list()) this.#liveness.said(entry) // known from before a stop
    this.#topology = await registrar.register(
      protocolId(networkTag(this.#init.network), PEER_PROTOCOLS.exchange.name),
      {
        notifyOnLimitedConnection: true,
        onConnect: (peer) => {
          // because one exchange serves both, only one side starts it; the periodic one mends what this one missed
          if (this.#key.peerId < peer.toString())
            void this.#exchange.withPeer(peer, { signal: this.#stop.signal })
        }
      }
    )
    events.addEventListener('self:peer:update', this.#refreshSoon)
    // too, because a node that is started again with the addresses it had hears of no update, and would say it has none
    events.addEventListener('transport:listening', this.#refreshSoon)
    this.#joining = false
    if (addressManager.getListenAddrs().length === 0) void this.#join()
    const stop = { signal: this.#stop.signal }
    const again = { ...stop, onError: (error: unknown) => this.#log('%e', error) }
    void repeat(BOOTSTRAP_INTERVAL_MS, () => this.#dialler.bootstrap(), again)
    void repeat(EXCHANGE_INTERVAL_MS, () => this.#exchange.withOne(stop), again)
    // because a dial that fails once, in a rush of new members, is no reason to stay apart
    void repeat(EXCHANGE_INTERVAL_MS, async () => this.#dialler.some(this.list()), again)
    const check = async () => {
      if (this.#own.isOutdated()) this.refresh()
      this.lookAround()
    }
    void repeat(STATEMENT_CHECK_MS, check, again)
  }

  /** Gossip starts beside this service, so it is joined when everything has started. */
  afterStart(): void {
    if (!this.#init.gossip) return
    this.#gossip.start(this.#components.pubsub!)
    this.refresh()
  }

  /** Goodbye, while the connections still stand. */
  async beforeStop(): Promise<void> {
    this.#intake.closed = true
    this.#liveness.rest()
    this.#dialler.stop()
    const statement = this.#own.renew({ leaving: true })
    this.#gossip.publish(statement)
    this.#gossip.stop()
    await this.#exchange.goodbye({ signal: timeoutSignal(GOODBYE_TIMEOUT_MS) })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    const { registrar, events } = this.#components
    events.removeEventListener('self:peer:update', this.#refreshSoon)
    events.removeEventListener('transport:listening', this.#refreshSoon)
    if (this.#topology !== undefined) registrar.unregister(this.#topology)
    await this.#liveness.stop()
    await this.#exchange.stop()
  }

  self(): MemberView {
    const { bytes } = this.#own
    if (this.#self?.bytes !== bytes) this.#self = { bytes, node: this.#table.open(bytes) }
    const { node } = this.#self
    return {
      ...node,
      self: true,
      connected: true,
      relayed: false,
      state: 'alive',
      lastSeenMs: this.#now(),
      roundTripMs: 0
    }
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

  recentEvents(): readonly NodeEvent[] {
    return this.#events.recent()
  }

  refresh(): void {
    if (!this.#intake.closed && !this.#stop.signal.aborted) this.#gossip.publish(this.#own.renew())
  }

  lookAround(): void {
    const peers = new Set(
      this.#components.connectionManager.getConnections().map(({ remotePeer }) => remotePeer.toString())
    )
    const nodes = new Set([...peers].filter((peerId) => this.#table.get(peerId) !== undefined))
    const before = this.#neighbours.look(nodes, peers)
    if (before === undefined) return
    const detail = { before: [...before], now: [...peers] }
    this.safeDispatchEvent('neighbours:replaced', { detail })
  }

  #view(entry: MemberEntry): MemberView {
    const connection = bestConnection(this.#components.connectionManager, entry.peerId)
    return {
      ...entry,
      self: false,
      connected: connection !== undefined,
      relayed: connection?.direct === false,
      state: this.#liveness.stateOf(entry.peerId),
      silentMs: this.#liveness.silentMsOf(entry.peerId),
      lastSeenMs: connection === undefined ? entry.lastSeenMs : this.#now(),
      roundTripMs: connection?.rtt
    }
  }

  /** Once it listens: one that identifies itself without an address is left out of the other side's DHT for good. */
  #join(): Promise<void> {
    this.#joining = true
    return this.#dialler.bootstrap()
  }
}
