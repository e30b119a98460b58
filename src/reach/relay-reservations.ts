import type { Logger, PeerId, Transport } from '@libp2p/interface'
import type { AddressManager, TransportManager } from '@libp2p/interface-internal'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { raceSignal } from '../common/index.ts'
import { MAX_RELAYS, RESERVE_MAX_WAIT_MS, RESERVE_TIMEOUT_MS, RESERVE_WAIT_MS } from './constants.ts'

/** What we use of the relay transport's own book: it renews each place some minutes before its time is up. */
interface ReservationStore extends EventTarget {
  addRelay(peer: PeerId, type: 'configured'): Promise<unknown>
  hasReservation(peer: PeerId): boolean
  readonly relayFilter?: { remove?(peer: Uint8Array): boolean }
}

type ReservationEvent = CustomEvent<{
  readonly relay: PeerId
  readonly details: { readonly reservation: { readonly addrs: readonly Uint8Array[] } }
}>

interface Relay {
  readonly peer: PeerId
  waitMs: number
  dueMs: number
  asking: boolean
}

export interface RelayReservationsInit {
  readonly transportManager: TransportManager
  readonly addressManager: AddressManager
  readonly now: () => number
  readonly log: Logger
}

/**
 * Places at relays. libp2p's own search (listening on /p2p-circuit) walks the DHT for ever while relays are too few, and a
 * listener for each relay is never let go of; so relays are those we are connected to, and addresses are told by us.
 */
export class RelayReservations {
  readonly #init: RelayReservationsInit
  readonly #relays = new Map<string, Relay>()
  readonly #addresses = new Map<string, readonly Multiaddr[]>()
  #store: ReservationStore | undefined

  constructor(init: RelayReservationsInit) {
    this.#init = init
  }

  start(): void {
    this.#store = this.#init.transportManager
      .getTransports()
      .map(storeOf)
      .find((one) => one !== undefined)
    this.#store?.addEventListener('relay:created-reservation', this.#onReserved)
    this.#store?.addEventListener('relay:removed', this.#onRemoved)
  }

  stop(): void {
    this.#store?.removeEventListener('relay:created-reservation', this.#onReserved)
    this.#store?.removeEventListener('relay:removed', this.#onRemoved)
    this.#relays.clear()
    this.#addresses.clear()
  }

  /** A relay is connected. */
  add(peer: PeerId): void {
    this.#relays.set(peer.toString(), { peer, waitMs: RESERVE_WAIT_MS, dueMs: 0, asking: false })
    this.look()
  }

  remove(peer: PeerId): void {
    this.#relays.delete(peer.toString())
  }

  relays(): string[] {
    return [...this.#relays].filter(([, { peer }]) => this.#store?.hasReservation(peer)).map(([id]) => id)
  }

  /** Asks for a place that is missing. */
  look(): void {
    const all = [...this.#relays.values()]
    // one at a time, because libp2p drops requests that wait when another has succeeded, and their promises never settle
    if (all.some(({ asking }) => asking) || this.relays().length >= MAX_RELAYS) return
    const next = all.find(
      ({ peer, dueMs }) => dueMs <= this.#init.now() && !this.#store?.hasReservation(peer)
    )
    if (next !== undefined) void this.#reserve(next)
  }

  async #reserve(relay: Relay): Promise<void> {
    const { now, log } = this.#init
    relay.asking = true
    // because libp2p never asks a relay again that once did not answer, for as long as the process lives
    this.#store?.relayFilter?.remove?.(relay.peer.toMultihash().bytes)
    try {
      if (this.#store !== undefined)
        await raceSignal(
          this.#store.addRelay(relay.peer, 'configured'),
          AbortSignal.timeout(RESERVE_TIMEOUT_MS)
        )
      relay.waitMs = RESERVE_WAIT_MS
    } catch (error) {
      log('no place at relay %p: %e', relay.peer, error)
      relay.dueMs = now() + relay.waitMs
      relay.waitMs = Math.min(relay.waitMs * 2, RESERVE_MAX_WAIT_MS)
    } finally {
      relay.asking = false
    }
  }

  readonly #onReserved = (event: Event): void => {
    const { relay, details } = (event as ReservationEvent).detail
    const addresses = details.reservation.addrs.map((bytes) => multiaddr(bytes).encapsulate('/p2p-circuit'))
    const gone = this.#addresses.get(relay.toString()) ?? []
    this.#addresses.set(relay.toString(), addresses)
    // for ever, because AutoNAT would ask for them when their time is up, and take them back for being no address of this host
    const forever = { type: 'observed', ttl: Number.POSITIVE_INFINITY } as const
    for (const address of addresses) this.#init.addressManager.confirmObservedAddr(address, forever)
    for (const address of gone)
      if (!addresses.some((one) => one.equals(address))) this.#init.addressManager.removeObservedAddr(address)
  }

  readonly #onRemoved = (event: Event): void => {
    const id = (event as ReservationEvent).detail.relay.toString()
    for (const address of this.#addresses.get(id) ?? []) this.#init.addressManager.removeObservedAddr(address)
    this.#addresses.delete(id)
  }
}

function storeOf(transport: Transport): ReservationStore | undefined {
  return 'reservationStore' in transport ? (transport.reservationStore as ReservationStore) : undefined
}
