import { RELAY_V2_HOP_CODEC } from '@libp2p/circuit-relay-v2'
import type { ComponentLogger, Libp2pEvents, Logger, PeerId, Startable } from '@libp2p/interface'
import { serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import type {
  AddressManager,
  ConnectionManager,
  Registrar,
  TransportManager
} from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import type { TypedEventTarget } from 'main-event'
import { delay } from '../common/index.ts'
import { dialMember } from '../members/index.ts'
import { REDIAL_INTERVAL_MS, RESERVE_INTERVAL_MS } from './constants.ts'
import { Redialler } from './redialler.ts'
import { RelayReservations } from './relay-reservations.ts'
import type { ReachInit, ReachService, Whereabouts } from './types.ts'

export interface ReachComponents {
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly addressManager: AddressManager
  readonly transportManager: TransportManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
}

/** Lifecycle and wiring. */
export class Reach implements ReachService, Startable {
  readonly [Symbol.toStringTag] = '@beemesh/reach'
  readonly [serviceCapabilities]: string[] = ['@beemesh/reach']
  readonly [serviceDependencies]: string[] = ['@libp2p/identify']
  readonly #components: ReachComponents
  readonly #init: ReachInit
  readonly #log: Logger
  readonly #reservations: RelayReservations
  readonly #redialler: Redialler
  #stop = new AbortController()
  #topology: string | undefined

  constructor(components: ReachComponents, init: ReachInit) {
    const { transportManager, addressManager, connectionManager, logger } = components
    const now = init.now ?? Date.now
    this.#components = components
    this.#init = init
    this.#log = logger.forComponent('beemesh:reach')
    this.#reservations = new RelayReservations({
      known: init.known ?? [],
      find: init.find,
      transportManager,
      addressManager,
      connectionManager,
      now,
      log: this.#log
    })
    this.#redialler = new Redialler({
      find: init.find,
      dial: async (node, options) => void (await dialMember(connectionManager, node, options)),
      isConnected: (peerId) => connectionManager.getConnections(peerIdFromString(peerId)).length > 0,
      now,
      log: this.#log
    })
  }

  async start(): Promise<void> {
    this.#stop = new AbortController()
    const { registrar, events } = this.#components
    events.addEventListener('peer:disconnect', this.#onDisconnect)
    void this.#repeat(REDIAL_INTERVAL_MS, () => this.#redialler.look(this.#stop.signal))
    if (this.#init.reserve !== true) return
    this.#reservations.start()
    this.#topology = await registrar.register(RELAY_V2_HOP_CODEC, {
      onConnect: (peer, connection) => {
        if (connection.direct) this.#reservations.add(peer) // because a place through another relay is refused
      },
      onDisconnect: (peer) => this.#reservations.remove(peer)
    })
    void this.#repeat(RESERVE_INTERVAL_MS, () => this.#reservations.look())
  }

  stop(): void {
    this.#stop.abort()
    const { registrar, events } = this.#components
    events.removeEventListener('peer:disconnect', this.#onDisconnect)
    if (this.#topology !== undefined) registrar.unregister(this.#topology)
    this.#topology = undefined
    this.#reservations.stop()
    this.#redialler.clear()
  }

  relays(): string[] {
    return this.#reservations.relays()
  }

  found(node: Whereabouts): void {
    this.#redialler.found(node)
  }

  readonly #onDisconnect = ({ detail: peer }: CustomEvent<PeerId>): void => {
    this.#redialler.lost(peer.toString())
  }

  async #repeat(intervalMs: number, act: () => void): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await delay(intervalMs, { signal }).catch(() => {})
      if (!signal.aborted) act()
    }
  }
}
