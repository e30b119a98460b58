import type { Logger } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { multiaddr } from '@multiformats/multiaddr'
import { type Abortable, withDeadline } from '../../common/index.ts'
import { BOOTSTRAP_INTERVAL_MS, BOOTSTRAP_MAX_WAIT_MS, DIAL_TIMEOUT_MS } from '../constants.ts'
import { bestConnection } from './dial-member.ts'

export interface BootstrapDiallerInit {
  /** Full addresses, ending in /p2p/PEERID. */
  readonly addresses: readonly string[]
  /** Peer ID of this node: one list may serve all, those on it included. */
  readonly self: string
  readonly connectionManager: ConnectionManager
  readonly log: Logger
  readonly now: () => number
}

/** Keeps connections to bootstrap nodes: for ever, because they are the way back in, and less often while they are away. */
export class BootstrapDialler {
  readonly #init: BootstrapDiallerInit
  readonly #waits = new Map<string, { readonly waitMs: number; readonly untilMs: number }>()

  constructor(init: BootstrapDiallerInit) {
    this.#init = init
  }

  /** Dials those that are not connected and whose time has come. Never rejects. */
  async dial({ signal }: Abortable = {}): Promise<void> {
    const { addresses, self, connectionManager, log, now } = this.#init
    await Promise.all(
      addresses.map(async (address) => {
        const peerId = address.slice(address.lastIndexOf('/') + 1)
        if (peerId === self) return
        if (bestConnection(connectionManager, peerId) !== undefined) return this.#waits.delete(address)
        const { untilMs, waitMs } = this.#waits.get(address) ?? { untilMs: 0, waitMs: BOOTSTRAP_INTERVAL_MS }
        if (now() < untilMs) return
        try {
          await connectionManager.openConnection(multiaddr(address), {
            signal: withDeadline(DIAL_TIMEOUT_MS, signal)
          })
          this.#waits.delete(address)
        } catch (error) {
          log('bootstrap %s: %e', address, error)
          const next = Math.min(waitMs * 2, BOOTSTRAP_MAX_WAIT_MS)
          this.#waits.set(address, { waitMs: next, untilMs: now() + waitMs * 0.8 }) // the caller's interval jitters
        }
      })
    )
  }
}
