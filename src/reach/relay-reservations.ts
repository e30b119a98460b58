import type { Logger, PeerId, Transport } from '@libp2p/interface'
import type { AddressManager, ConnectionManager, TransportManager } from '@libp2p/interface-internal'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { raceSignal, timeoutSignal } from '../common/index.ts'
import {
  MAX_RELAYS,
  RELAY_ADDRESSES,
  RESERVE_MAX_WAIT_MS,
  RESERVE_TIMEOUT_MS,
  RESERVE_WAIT_MS
} from './constants.ts'
import type { ReachInit } from './types.ts'

/** What we use of the relay transport's own book: it renews each place some minutes before its time is up. */
interface ReservationStore {
  addRelay(peer: PeerId, type: 'configured'): Promise<unknown>
  hasReservation(peer: PeerId): boolean
  /** `addrs`: what the relay says of itself, and the far end of our connection to it. */
  getReservation(peer: PeerId): { readonly addrs: readonly Uint8Array[] } | undefined
  readonly relayFilter?: { remove?(peer: Uint8Array): boolean }
}

interface Relay {
  readonly peer: PeerId
  /** What others were told. */
  addresses: readonly Multiaddr[]
  waitMs: number
  dueMs: number
  asking: boolean
}

export interface RelayReservationsInit extends Required<Pick<ReachInit, 'known' | 'find'>> {
  readonly connectionManager: ConnectionManager
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
  #store: ReservationStore | undefined

  constructor(init: RelayReservationsInit) {
    this.#init = init
  }

  start(): void {
    this.#store = this.#init.transportManager
      .getTransports()
      .map(storeOf)
      .find((one) => one !== undefined)
  }

  stop(): void {
    this.#relays.clear()
  }

  /** A relay is connected. */
  add(peer: PeerId): void {
    const relay = this.#relays.get(peer.toString())
    if (relay === undefined)
      this.#relays.set(peer.toString(), {
        peer,
        addresses: [],
        waitMs: RESERVE_WAIT_MS,
        dueMs: 0,
        asking: false
      })
    else Object.assign(relay, { waitMs: RESERVE_WAIT_MS, dueMs: 0 })
    this.look()
  }

  /** It is not any more. */
  remove(peer: PeerId): void {
    const relay = this.#relays.get(peer.toString())
    if (relay !== undefined) this.#tell(relay, [])
    this.#relays.delete(peer.toString())
  }

  relays(): string[] {
    return [...this.#relays].filter(([, { peer }]) => this.#store?.hasReservation(peer)).map(([id]) => id)
  }

  /** Asks for a place that is missing, and tells others of those there are. */
  look(): void {
    const all = [...this.#relays.values()]
    for (const relay of all) this.#tell(relay, this.#addressesThrough(relay.peer))
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
        await raceSignal(this.#store.addRelay(relay.peer, 'configured'), timeoutSignal(RESERVE_TIMEOUT_MS))
      relay.waitMs = RESERVE_WAIT_MS
      this.#tell(relay, this.#addressesThrough(relay.peer))
    } catch (error) {
      log('no place at relay %p: %e', relay.peer, error)
      relay.dueMs = now() + relay.waitMs
      relay.waitMs = Math.min(relay.waitMs * 2, RESERVE_MAX_WAIT_MS)
    } finally {
      relay.asking = false
    }
  }

  /** What a person wrote, what the relay says in its statement and with the place; not where its own dial to us came from. */
  #addressesThrough(peer: PeerId): Multiaddr[] {
    const reservation = this.#store?.getReservation(peer)
    if (reservation === undefined || !this.#relays.has(peer.toString())) return []
    const { known, find, connectionManager } = this.#init
    const suffix = `/p2p/${peer.toString()}`
    const inbound = connectionManager
      .getConnections(peer)
      .filter(({ direction }) => direction === 'inbound')
      .map(({ remoteAddr }) => withoutPeer(remoteAddr.toString()))
    const all = [
      ...known.filter((address) => address.endsWith(suffix)).map(withoutPeer),
      ...reservation.addrs.map((bytes) => withoutPeer(multiaddr(bytes).toString())), // libp2p has parsed them
      ...(find(peer.toString())?.addresses ?? [])
    ]
    const usable = all.filter(
      (address) =>
        /^\/(ip|dns).*\/tcp\//.test(address) && !/\/p2p-circuit/.test(address) && !inbound.includes(address)
    )
    const through = [...new Set(usable)].sort((a, b) => Number(isLoopback(a)) - Number(isLoopback(b)))
    return through.flatMap((address) => parse(`${address}${suffix}/p2p-circuit`)).slice(0, RELAY_ADDRESSES)
  }

  #tell(relay: Relay, addresses: readonly Multiaddr[]): void {
    const { addressManager } = this.#init
    const missing = (from: readonly Multiaddr[], some: readonly Multiaddr[]) =>
      some.filter((one) => !from.some((other) => other.equals(one)))
    // for ever, because AutoNAT would ask for them when their time is up, and take them back for being no address of this host
    const forever = { type: 'observed', ttl: Number.POSITIVE_INFINITY } as const
    for (const address of missing(relay.addresses, addresses))
      addressManager.confirmObservedAddr(address, forever)
    for (const address of missing(addresses, relay.addresses)) addressManager.removeObservedAddr(address)
    relay.addresses = addresses
  }
}

function withoutPeer(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}

function parse(address: string): Multiaddr[] {
  try {
    return [multiaddr(address)]
  } catch {
    return [] // because a statement may say anything
  }
}

function isLoopback(address: string): boolean {
  return /^\/ip(4\/127\.|6\/::1\/)/.test(address)
}

function storeOf(transport: Transport): ReservationStore | undefined {
  return 'reservationStore' in transport ? (transport.reservationStore as ReservationStore) : undefined
}
