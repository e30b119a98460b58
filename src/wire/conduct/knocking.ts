import type { Multiaddr } from '@multiformats/multiaddr'
import { Budget } from '../doors/budget.ts'

/** New connections from such an address. Chosen: others behind the same router still get in, a little later. */
export const KNOCKING_BUDGET = { burst: 4, perSecond: 2 } as const
/** How long an address is such a one, ms. Chosen: longer than it takes to come back, shorter than anybody would notice. */
export const KNOCKING_MS = 10_000
/** Addresses remembered; the oldest is forgotten first. Chosen. */
const MAX_ADDRESSES = 1_024

/**
 * Addresses from which nodes come back that were sent away. Who it is shows only after a handshake, which costs as much as a hundred
 * messages: so new connections from there are few, before any byte is read. Connections that stand are not touched.
 */
export class Knocking {
  readonly #now: () => number
  readonly #until = new Map<string, number>()
  readonly #budget: Budget

  constructor(now: () => number) {
    this.#now = now
    this.#budget = new Budget(KNOCKING_BUDGET, now)
  }

  /** Somebody who was sent away came back from there. */
  knocked(from: Multiaddr): void {
    const host = hostOf(from)
    if (host === undefined) return
    this.#until.delete(host)
    this.#until.set(host, this.#now() + KNOCKING_MS)
    if (this.#until.size > MAX_ADDRESSES) this.#until.delete(this.#until.keys().next().value!)
  }

  /** Whether a new connection from there is let in. */
  admits(from: Multiaddr): boolean {
    const host = hostOf(from)
    const until = host === undefined ? undefined : this.#until.get(host)
    if (until === undefined) return true
    if (until > this.#now()) return this.#budget.take(host!)
    this.#until.delete(host!)
    return true
  }
}

/** The IP address; undefined for what came over a relay, whose address is not to blame. */
function hostOf(address: Multiaddr): string | undefined {
  const components = address.getComponents()
  if (components.some(({ name }) => name === 'p2p-circuit')) return undefined
  return components.find(({ name }) => name === 'ip4' || name === 'ip6')?.value
}
