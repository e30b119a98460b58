import type { Logger } from '@libp2p/interface'
import {
  MAX_LOST,
  REDIAL_ATTEMPTS,
  REDIAL_CONCURRENCY,
  REDIAL_MAX_WAIT_MS,
  REDIAL_WAIT_MS
} from './constants.ts'
import type { ReachInit, Whereabouts } from './types.ts'

interface Lost {
  /** Where it was found without being a member yet. */
  readonly found?: Whereabouts
  attempts: number
  waitMs: number
  dueMs: number
}

export interface RedialSetup extends Pick<ReachInit, 'find'> {
  readonly dial: (node: Whereabouts, options: { readonly signal: AbortSignal }) => Promise<void>
  readonly isConnected: (peerId: string) => boolean
  readonly now: () => number
  readonly log: Logger
}

/** Nodes whose connection was lost, or that were found near by: dialled with growing pauses, bounded, until they are back. */
export class Redialler {
  readonly #setup: RedialSetup
  readonly #lost = new Map<string, Lost>()
  #dialling = 0

  constructor(setup: RedialSetup) {
    this.#setup = setup
  }

  /** A connection ended. */
  lost(peerId: string): void {
    if (this.#setup.find(peerId) !== undefined) this.#add(peerId)
  }

  /** Somebody of this network says to be there. */
  found(node: Whereabouts): void {
    if (!this.#setup.isConnected(node.peerId)) this.#add(node.peerId, node)
  }

  /** Begins the dials that are due. */
  look(signal: AbortSignal): void {
    for (const [peerId, lost] of this.#lost) {
      if (this.#dialling >= REDIAL_CONCURRENCY) return
      if (lost.dueMs <= this.#setup.now()) void this.#dial(peerId, lost, signal)
    }
  }

  clear(): void {
    this.#lost.clear()
  }

  #add(peerId: string, found?: Whereabouts): void {
    if (this.#lost.has(peerId) || this.#lost.size >= MAX_LOST) return
    // because both sides lose the connection at the same moment, and two dials at once make two connections
    const waitMs = found === undefined ? REDIAL_WAIT_MS * (0.5 + Math.random()) : 0
    this.#lost.set(peerId, { found, attempts: 0, waitMs: REDIAL_WAIT_MS, dueMs: this.#setup.now() + waitMs })
  }

  async #dial(peerId: string, lost: Lost, signal: AbortSignal): Promise<void> {
    const { find, dial, isConnected, now, log } = this.#setup
    const node = lost.found ?? find(peerId)
    const attempts = lost.found === undefined ? REDIAL_ATTEMPTS : 1 // because what is found is found again
    if (node === undefined || isConnected(peerId) || lost.attempts >= attempts) {
      this.#lost.delete(peerId)
      return
    }
    lost.attempts++
    lost.dueMs = Number.POSITIVE_INFINITY
    this.#dialling++
    try {
      await dial(node, { signal })
      this.#lost.delete(peerId)
    } catch (error) {
      log('dial %s again: %e', peerId, error)
    } finally {
      this.#dialling--
      lost.dueMs = now() + lost.waitMs
      lost.waitMs = Math.min(lost.waitMs * 2, REDIAL_MAX_WAIT_MS)
    }
  }
}
