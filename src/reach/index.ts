/**
 * That nodes reach each other where they cannot simply be dialled: places at relays for the node behind a router, lost
 * connections dialled again, nodes found on the LAN dialled. Stands apart from `members`, which says who is here, because it is
 * about ways, not about words. Never chooses whom to trust: whoever is dialled must prove its peer ID, and be in the network.
 *
 * @example
 * ```ts
 * const node = await createLibp2p({
 *   transports: [tcp(), circuitRelayTransport()],
 *   services: { identify: identify(), reach: reach({ reserve: true, find: () => undefined }) }
 * })
 * console.log(node.services.reach.relays())
 * ```
 */
import { Reach, type ReachComponents } from './reach.ts'
import type { ReachInit, ReachService } from './types.ts'

export { type RelayServerComponents, type RelayServerInit, relayServer } from './relay-server.ts'
export type { ReachInit, ReachService, Whereabouts } from './types.ts'

/** The service, for `createLibp2p({ services })`. Needs identify; with `reserve`, the circuit relay transport. */
export function reach(init: ReachInit): (components: ReachComponents) => ReachService {
  return (components) => new Reach(components, init)
}
