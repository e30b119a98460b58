/** Chains kept; beyond it new ones are refused. Chosen: about 2 MB. */
export const MAX_CHAINS = 4_096
/** Of one subject; the one that ends first makes room. Chosen. */
export const MAX_CHAINS_PER_GUEST = 8
/** Chains that hang from one grant of a root, so that one guest who may pass grants on cannot take all the room. Chosen. */
export const MAX_CHAINS_PER_GRANT = 256
/** Of one author that is no owner. Chosen. */
export const MAX_REVOCATIONS_PER_GUEST = 256
/** Revocations kept; beyond it new ones are refused. Chosen: about 1 MB. */
export const MAX_REVOCATIONS = 4_096
/** Invites that were redeemed here and are remembered: as long as the grants they gave. Chosen. */
export const MAX_REDEEMED = 4_096
/** Revocations in one frame. Source: fbs/revocations.fbs */
export const REVOCATIONS_PER_FRAME = 64
/** Chains in one frame. Source: fbs/grants.fbs */
export const CHAINS_PER_FRAME = 32
/** One random connected node is asked whether it knows the same revocations this often, ms; new ones are passed on at once. Chosen. */
export const SYNC_INTERVAL_MS = 30_000
/** To tell one neighbour of revocations, ms. Chosen. */
export const SYNC_TIMEOUT_MS = 10_000
/** Neighbours of whom it is remembered what they were told. Chosen: more than a node has connections. */
export const MAX_TOLD = 1_024
/** Neighbours told at once. Chosen. */
export const SYNC_CONCURRENCY = 8
