import type { Logger } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Abortable } from '../../common/index.ts'
import { DIAL_CONCURRENCY, MAX_DIALLED } from '../constants.ts'
import { MembersError } from '../errors.ts'
import type { MemberView } from '../types.ts'
import { BootstrapDialler } from './bootstrap-dialler.ts'
import { dialMember } from './dial-member.ts'

export interface DiallerInit {
  readonly connectionManager: ConnectionManager
  readonly self: string
  /** Full addresses, with /p2p. */
  readonly bootstrap: readonly string[]
  /** Of a member's own statement, without /p2p. */
  readonly addressesOf: (peerId: string) => readonly string[]
  readonly onFailed: (peerId: string) => void
  readonly log: Logger
  readonly now: () => number
}

/** Connections this node makes of itself: to bootstrap nodes, and to members it hears of. */
export class Dialler {
  readonly #init: DiallerInit
  readonly #bootstrap: BootstrapDialler
  readonly #queue = new Set<string>()
  #dialling = 0
  #stop = new AbortController()

  constructor(init: DiallerInit) {
    this.#init = init
    const { bootstrap: addresses, self, connectionManager, log, now } = init
    this.#bootstrap = new BootstrapDialler({ addresses, self, connectionManager, log, now })
  }

  start(): void {
    this.#stop = new AbortController()
  }

  stop(): void {
    this.#stop.abort()
    this.#queue.clear()
  }

  isConnected(peerId: string): boolean {
    return this.#init.connectionManager.getConnections(peerIdFromString(peerId)).length > 0
  }

  async bootstrap(): Promise<void> {
    await this.#bootstrap.dial({ signal: this.#stop.signal })
  }

  /** When it is its turn, and unless there are enough connections already. */
  soon(peerId: string): void {
    const { connectionManager } = this.#init
    if (this.#queue.size >= MAX_DIALLED || connectionManager.getConnections().length >= MAX_DIALLED) return
    this.#queue.add(peerId)
    while (this.#dialling < DIAL_CONCURRENCY && this.#queue.size > 0) void this.#next()
  }

  /** A few of those that are not connected, chosen at random. */
  some(members: readonly MemberView[]): void {
    const apart = members.filter(
      ({ self, connected, state, addresses }) =>
        !self && !connected && state === 'alive' && addresses.length > 0
    )
    for (let left = Math.min(apart.length, DIAL_CONCURRENCY); left > 0; left--)
      this.soon(apart.splice(Math.floor(Math.random() * apart.length), 1)[0]!.peerId)
  }

  /** A new connection, also beside one that is there but silent. @throws MembersError, what libp2p throws */
  async dial(peerId: string, options: Abortable & { relaysFirst?: boolean }): Promise<void> {
    const { connectionManager, addressesOf } = this.#init
    const signal = AbortSignal.any([
      this.#stop.signal,
      ...(options.signal === undefined ? [] : [options.signal])
    ])
    const addresses = addressesOf(peerId)
    const force = this.isConnected(peerId)
    const how = { signal, force, relaysFirst: options.relaysFirst }
    const connection = await dialMember(connectionManager, { peerId, addresses }, how)
    if (connection === undefined) throw new MembersError('NO_ADDRESS', `${peerId} says no address`)
    // because the silent one has answered meanwhile, and streams of ours run over it
    if (force && signal.aborted) await connection.close()
  }

  async #next(): Promise<void> {
    const peerId = this.#queue.values().next().value!
    this.#queue.delete(peerId)
    this.#dialling++
    try {
      if (!this.isConnected(peerId)) await this.dial(peerId, {})
    } catch (error) {
      this.#init.log('dial %s: %e', peerId, error)
      this.#init.onFailed(peerId)
    } finally {
      this.#dialling--
    }
    if (this.#queue.size > 0 && !this.#stop.signal.aborted) void this.#next()
  }
}
