/** Members that keep a manifest: the nearest in the DHT's metric. Source: ARCHITECTURE section 1. */
export const KEEPERS = 5
/** Pushed to so many nodes more, because two members may see two members less. Source: ARCHITECTURE section 3. */
export const SPARE_KEEPERS = 2
/** Keepers that have it on disk before an apply is acknowledged. Source: ARCHITECTURE section 2. */
export const DURABLE_KEEPERS = 3
/** Kept beyond the keepers' number before a copy of the record is let go of: a member that comes back must not cost two moves. Chosen. */
export const LET_GO_RANK = KEEPERS + 2 * SPARE_KEEPERS
/** Manifests kept for one owner, and for all. Source: facts on limits, 1,000 manifests of an author on a node; twice that, with tombstones. */
export const MAX_KEPT_PER_OWNER = 2_000
export const MAX_KEPT = 16_384
/** A keeper looks at what it keeps this often; at once when a member dies. Chosen: a fifth of a lease. */
export const LOOK_INTERVAL_MS = 2_000
/** A keeper of rank r waits r times as long before it acts in place of a nearer one. Source: facts on the mesh, 2026-11-20. */
export const RANK_DELAY_MS = 2_000
/** What is kept is offered to the keepers of now this often. Chosen; at once when members come or go. */
export const OFFER_INTERVAL_MS = 120_000
/** A keeper that did not take an offer is made it again after this, and after twice as long each time. Chosen: a look. */
export const OFFER_RETRY_MS = 2_000
/** But at least this often, because a disk that was full for long may be that of the nearest, which alone decides on some things. Chosen. */
export const OFFER_RETRY_MOST_MS = 30_000
/** A keeper that is slow to take an offer does not hold up the look after what is offered for longer than this. Chosen: answers take some ms. */
export const OFFER_PATIENCE_MS = 250
/** The nearest keeper asks everybody who runs what it keeps this often, although all seems well; at once when members come or go. Chosen. */
export const ASK_INTERVAL_MS = 120_000
/** The same until members have neither come nor gone for so long: what went wrong then may show late. Chosen. */
export const UNSETTLED_ASK_INTERVAL_MS = 30_000
export const UNSETTLED_MS = 300_000
/** The same where some who live gave no answer: again after this, and twice as long each time. Chosen: some looks, and as often as it matters. */
export const UNHEARD_ASK_MS = 4_000
/** One node's answer to keep or assign. */
export const ASK_TIMEOUT_MS = 5_000
/** A search for copies before something is done about them. Source: a find over a LAN takes below 0.1 s; a frozen node must not hold it up. */
export const CONFIRM_TIMEOUT_MS = 1_500
/** Nodes asked at one time. Chosen. */
export const CONCURRENCY = 8
/** For bids to come in; longer while there are too few. Source: ARCHITECTURE section 7. */
export const SELECTION_WINDOW_MS = 250
export const MAX_SELECTION_WINDOW_MS = 2_000
/** Nodes asked for a bid, beside those that run the manifest. Chosen: enough for every choice, whatever the size of the mesh. */
export const MAX_ASKED = 48
/**
 * A node that was stopped in order is mostly started again, as for an upgrade, and its containers run on: nothing is moved before it was away
 * for so long. One that died is not waited for: nobody can tell a dead daemon from a dead machine, and a copy too many is drained. Chosen.
 */
export const LEFT_GRACE_MS = 15_000
/**
 * One node notices a death sooner than another: whoever is asked to run what it still sees running looks again until then, and this often.
 * Source: docs/BENCHMARKS.md, up to a second lies between the first of five nodes and the last.
 */
export const SEE_DEATH_MS = 1_500
export const SEE_DEATH_RETRY_MS = 150
/** A copy that was assigned must show a lease within this, or its node is asked again. Chosen: an image may have to be pulled. */
export const STARTING_MS = 15_000
/** A keeper that has just started replaces nothing yet that it never heard of. Chosen: most copies that were being started run by then. */
export const BACK_MS = 5_000
/** A copy that was given to a node is not asked after for so long, because it cannot run yet. Chosen: below what most copies take. */
export const FRESH_MS = 1_500
/** Keepers do not meddle with an update for so long after its last step: its owner goes from node to node. Chosen: longer than most copies take. */
export const UPDATE_PATIENCE_MS = 30_000
/** A node that failed to start a copy is left alone for: doubling from the first to the last. Chosen, as Kubernetes' CrashLoopBackOff. */
export const AVOID_MS = { first: 10_000, last: 300_000 } as const
/** A key or share was given for one copy; nobody else gets it for so long. Source: a lease. */
export const GRANT_MS = 10_000
/** How long a node that was assigned a copy tries to get the key. Chosen: a lease and a half. */
export const OBTAIN_TIMEOUT_MS = 15_000
export const OBTAIN_RETRY_MS = 400
/** After a start a node waits so long for keepers to ask before it starts what it has. Chosen. */
export const RESUME_WAIT_MS = 5_000
/** For so long a keeper lets one node run a fenced copy, and no other. Source: ARCHITECTURE section 7, a lease. */
export const FENCE_LEASE_MS = 10_000
/** How often a node asks again for what it runs. Chosen: two answers may be lost. */
export const FENCE_RENEW_MS = 3_000
/** From the end of a lease until what ran under it is dead: the guard looks every 0.5 s (1 s where sleep knows no fractions). Chosen, measured 0.6 s. */
export const KILL_DEADLINE_MS = 3_000
/** What the clocks of two machines may differ by over a lease, since boot. Chosen: a tenth; quartz stays below a ten-thousandth. */
export const FENCE_DRIFT_MS = 1_000
/** Nobody else gets a fenced copy for so long after its node was last let run it. */
export const FENCE_HOLD_MS = FENCE_LEASE_MS + KILL_DEADLINE_MS + FENCE_DRIFT_MS
/** A copy is started only when its lease lasts for so long more. Chosen: half a lease. */
export const FENCE_MIN_LEFT_MS = FENCE_LEASE_MS / 2
/** How long a node that is to start a fenced copy asks for it. Chosen: whoever had it is fenced by then, and a renewal more. */
export const FENCE_START_WAIT_MS = FENCE_HOLD_MS + 2 * FENCE_RENEW_MS
export const FENCE_RETRY_MS = 1_000
/** Of two that each have a minority of the keepers, one comes back so much later at most. Chosen: some rounds of asking. */
export const FENCE_YIELD_MS = 4_000
/** Between two attempts for one copy, for each that a node has. Chosen: 20 a second to a keeper that may be asked 50 times. */
export const FENCE_PACE_MS = 50
/** One keeper's answer: less than a renewal. Source: the same limit in wire's protocols. */
export const FENCE_ASK_TIMEOUT_MS = 2_500
/** Members that let a fenced copy run; a majority decides. Source: the keepers' number. */
export const FENCE_KEEPERS = 5
