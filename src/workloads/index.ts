/**
 * The life of workloads on this node: takes manifests from owners, runs them on an engine, keeps them running, finds them
 * again after a restart. Stands apart from the engines (which know no peers) and from placing (which knows no engine). Never
 * chooses nodes.
 *
 * @example
 * ```ts
 * const node = await createLibp2p({
 *   services: { identify: identify(), ping: ping(), dht: kadDHT(...), providers: providers({ network }), workloads: workloads({ ... }) }
 * })
 * console.log(node.services.workloads.list())
 * ```
 */
import type { WorkloadsInit, WorkloadsService } from './types.ts'
import { Workloads, type WorkloadsComponents } from './workloads.ts'

export type { Assignment, Bundle } from './accept/accept-copies.ts'
export { MAX_CONCURRENT_DEPLOYMENTS, PORT_RANGE } from './constants.ts'
export type { NodeResources, Resources } from './copies/capacity.ts'
export type { Past } from './copies/job.ts'
export { WORKLOADS_ERROR_CODES, WorkloadsError, type WorkloadsErrorCode } from './errors.ts'
export { FAULT_POINTS, type FaultPoint } from './fault-points.ts'
export { assertSound } from './open-record.ts'
export type {
  FencedCopy,
  FenceLease,
  Fencer,
  KeepOptions,
  KeptBundle,
  KeptView,
  Release,
  StoredManifest,
  StoredWorkload,
  WorkloadEvent,
  WorkloadsEvents,
  WorkloadsInit,
  WorkloadsService
} from './types.ts'

/** The service, for `createLibp2p({ services })`. Needs a service called `providers`. */
export function workloads(init: WorkloadsInit): (components: WorkloadsComponents) => WorkloadsService {
  return (components) => new Workloads(components, init)
}
