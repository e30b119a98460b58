/**
 * Where copies run, and that they go on running: asks nodes for bids, plans, keeps what owners signed near to where Kademlia would look for
 * it, replaces copies whose node is gone, and gives content keys to nodes that are to run a copy. Stands apart from what runs workloads
 * (which chooses no peers). There is no leader: whoever acts is believed nothing, each node looks for itself. Never talks to an engine.
 *
 * @example
 * ```ts
 * const node = await createLibp2p({ services: { ..., members: members(...), providers: providers(...), workloads: workloads(...),
 *   scheduler: scheduler({ network, key, nodeName, store, trust, sealingKey, isMember }) } })
 * ```
 */
import { Scheduler, type SchedulerComponents } from './scheduler.ts'
import type { SchedulerInit, SchedulerService } from './types.ts'

export { type BidView, openBid, rulesOf } from './bids/bid.ts'
export { capacityRequest } from './bids/collect-bids.ts'
export { FENCE_KEEPERS } from './constants.ts'
export { Cordon } from './draining/cordon.ts'
export { SCHEDULER_ERROR_CODES, SchedulerError, type SchedulerErrorCode } from './errors.ts'
export { rank } from './keeping/rank.ts'
export * from './plan/index.ts'
export type { Healed, Kept, SchedulerInit, SchedulerService } from './types.ts'

/** The service, for `createLibp2p({ services })`. Needs services called `members`, `providers` and `workloads`. */
export function scheduler(init: SchedulerInit): (components: SchedulerComponents) => SchedulerService {
  return (components) => new Scheduler(components, init)
}
