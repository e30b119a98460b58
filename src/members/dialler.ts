import type { Logger } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { type Abortable, withDeadline } from '../common/index.ts'
import { DIAL_CONCURRENCY, DIAL_TIMEOUT_MS, MAX_DIALLED } from './constants.ts'
import { MembersError } from './errors.ts'

export interface DiallerInit {
  readonly connectionManager: ConnectionManager
  readonly self: string
  /** Full addresses, with /p2p. */
  readonly bootstrap: readonly string[]
  /** Of a member's own statement, without /p2p. */
  readonly addressesOf: (peerId: string) => readonly string[]
  readonly onFailed: (peerId: string) => void
  readonly log: Logger
}

/** Connections this node makes of itself: to bootstrap nodes, and to members it hears of. */
export class Dialler {
  readonly #init: DiallerInit
  readonly #queue = new Set<string>()
  #dialling = 0
  #stop = new AbortController()

  constructor(init: DiallerInit) {
    this.#init = init
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
    const { bootstrap, self, connectionManager, log } = this.#init
    await Promise.all(
      bootstrap.map(async (address) => {
        const peerId = address.slice(address.lastIndexOf('/') + 1)
        if (peerId === self || this.isConnected(peerId)) return
        const signal = withDeadline(DIAL_TIMEOUT_MS, this.#stop.signal)
        await connectionManager
          .openConnection(multiaddr(address), { signal })
          .catch((error: unknown) => log('bootstrap %s: %e', address, error))
      })
    )
  }

  /** When it is its turn, and unless there are enough connections already. */
  soon(peerId: string): void {
    const { connectionManager } = this.#init
    if (this.#queue.size >= MAX_DIALLED || connectionManager.getConnections().length >= MAX_DIALLED) return
    this.#queue.add(peerId)
    while (this.#dialling < DIAL_CONCURRENCY && this.#queue.size > 0) void this.#next()
  }

  /** A new connection, also beside one that is there but silent. @throws MembersError, what libp2p throws */
  async dial(peerId: string, options: Abortable): Promise<void> {
    const signal = withDeadline(DIAL_TIMEOUT_MS, AbortSignal.any([this.#stop.signal, ...signals(options)]))
    const addresses = this.#init.addressesOf(peerId).map((address) => multiaddr(`${address}/p2p/${peerId}`))
    if (addresses.length === 0) throw new MembersError('NO_ADDRESS', `${peerId} says no address`)
    const force = this.isConnected(peerId)
    const connection = await this.#init.connectionManager.openConnection(addresses, { signal, force })
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

function signals({ signal }: Abortable): AbortSignal[] {
  return signal === undefined ? [] : [signal]
}
