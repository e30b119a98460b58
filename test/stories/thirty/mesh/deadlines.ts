/**
 * Everybody sees everybody. A member that was called dead is dialled again by one after the other, one in 10 s, and each that comes back
 * is told on: docs/OPERATIONS. Source: DEAD_RETRY_MS, EXCHANGE_INTERVAL_MS; some times over for half of the mesh.
 */
export const WHOLE_MS = 90_000
/** Everything is as it is to be, so long after the last thing went wrong. Source: the issue, 60 s. */
export const SETTLE_MS = 60_000
/**
 * A silent member that is idle is dead after 8.7 s (detector), the second keeper waits for the first 2 s more, a search takes up to 1.5 s, bids
 * 2 s; a node that was asked and died as well is given up after 15 s (STARTING_MS), and the whole begins again.
 */
export const REPLACED_MS = 8_700 + 2 * 5_500 + 15_000
/** What a story may take in all: the mesh, its faults, and twice the above on a machine that others use. */
export const STORY_MS = 600_000
