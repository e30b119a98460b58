/** Deployments at once. Source: ARCHITECTURE section 7. */
export const MAX_CONCURRENT_DEPLOYMENTS = 10
/** Deployments waiting for their turn; more are refused with QUEUE_FULL. Chosen. */
export const MAX_QUEUED_DEPLOYMENTS = 1_000
/** One deployment: pulling an image over a slow line is the long part. Chosen. */
export const DEPLOY_TIMEOUT_MS = 300_000
/** One removal after the grace period is over. Chosen: the engine's slow path takes 5 s. */
export const REMOVE_TIMEOUT_MS = 30_000
/** How often the engine is asked what still runs. Source: facts, a listing takes 1-3 ms over the socket. */
export const WATCH_INTERVAL_MS = 2_000
/** How often tombstones whose time is over are forgotten. Chosen: they live for a year. */
export const SWEEP_INTERVAL_MS = 3_600_000
/** Host ports given where a manifest leaves them open. Source: ARCHITECTURE section 7. */
export const PORT_RANGE = { first: 19_000, last: 29_000 } as const
/** Versions before the one that runs that are kept for their owner. Chosen: at most 400 KiB a manifest. */
export const MAX_HISTORY = 5
/** Copies of one manifest on one node. Source: fbs/apply.fbs. */
export const MAX_ORDINALS = 64
/** Manifests of one owner on one node. Source: facts on limits. */
export const MAX_MANIFESTS_PER_OWNER = 1_000
/** Lines of one log frame, and how long lines wait for company. Chosen. */
export const LOG_BATCH = { lines: 128, bytes: 64 * 1024, waitMs: 40 } as const
/** Restart of a copy that ended: doubling from the first to the last, forgotten after it ran for so long. Source: Kubernetes
 *  (10 s to 5 min, 10 min); the first is shorter here because no control plane has to be spared. */
export const RESTART_BACKOFF_MS = { first: 1_000, last: 300_000, forgetAfter: 600_000 } as const
/** Label keys on everything we start; an engine may be shared by several nodes. */
export const LABELS = {
  node: 'beemesh.io/node',
  workload: 'beemesh.io/workload',
  manifest: 'beemesh.io/manifest',
  version: 'beemesh.io/version',
  ordinal: 'beemesh.io/ordinal'
} as const
/** A new copy must run this long before the old one goes, where no readiness probe tells. Chosen. */
export const ROLLOUT_SETTLE_MS = 1_000
/** Events in one frame. Source: fbs/events.fbs; about 1.5 KiB each at most, so that a frame stays below 224 KiB. */
export const EVENTS_PER_FRAME = 128
/** Events that wait for a follower that reads slowly; with more it is sent away. Chosen. */
export const MAX_WAITING_EVENTS = 1_000
