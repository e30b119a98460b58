/**
 * Silent member: heard of last, then at most one interval, three probes in vain and one confirmation:
 * 1.0 + 0.1 + 3 x 0.9 + 0.9 = 4.7 s, below the promised 5 s. An idle member: 4 s more.
 * A member that stalls for up to 3 x 0.9 + 0.9 = 3.6 s and then answers is never called dead.
 */

/** A connected member that has said nothing for this long is probed, ms; a probe from it counts as well. Source: facts on detection. */
export const PROBE_INTERVAL_MS = 1_000
/** The same for a member that is idle, ms. Chosen: a fifth of the cost; 8.7 s until it is found silent, when nothing is lost with it. */
export const IDLE_INTERVAL_MS = 5_000
/** Nothing about a member has changed for this long before its interval stretches, ms. Chosen. */
export const IDLE_AFTER_MS = 60_000
/** Each interval is shortened by up to this share, so that the two sides of a connection seldom probe at once. Chosen. */
export const INTERVAL_JITTER = 0.2
/** One probe, ms. Source: facts, 1 s; a tenth less, so that everything stays within 5 s. */
export const PROBE_TIMEOUT_MS = 900
/** Probes in vain before a member is suspect. Source: facts: 3 bridge a blocked loop of 2.5 s, 2 do not. */
export const MISSES_UNTIL_SUSPECT = 3
/** To confirm a suspicion: a new dial and probes through others at the same time, ms. Source: facts, 800 ms and 1 s. */
export const CONFIRM_TIMEOUT_MS = 900
/** Others asked about a suspect. Source: SWIM, section 3.1 (k = 3); facts. */
export const HELPERS = 3
/** How often it is looked who is due, ms. */
export const TICK_MS = 100
/**
 * First probes at one tick, so that a node sends at most 20 a second, whatever the size: 15 kB/s and 0.7 % of a core
 * (facts: 0.77 kB and 0.035 % each). Up to 40 connected members keep the interval, since one probe serves both sides.
 */
export const PROBES_PER_TICK = 2
/** Suspicions confirmed at once; the others wait. Chosen: as many as a node dials of itself. */
export const MAX_CONFIRMATIONS = 64
/** A member that only others reach is confirmed anew this often, ms: the way to it may be open again, or it may be dead. Chosen. */
export const VOUCHED_INTERVAL_MS = 5_000
/** A member without a connection is confirmed when nothing new was heard of it for this long, ms: three of its statements are missing. */
export const SILENCE_MS = 180_000
/** One member that was called dead is tried again this often, ms, so that a healed partition is noticed. Chosen. */
export const DEAD_RETRY_MS = 10_000
/** When members come back, all that are dead are tried again at most this often, ms. Chosen: above the time of one confirmation. */
export const RETRY_ALL_MS = 1_000

/** A timer this late means that our own loop was blocked, ms. Source: facts, 0 of 10 false suspects. */
export const LATE_MS = 50
/** What arrived meanwhile is read first, ms. Source: as above. */
export const GRACE_MS = 100

/** To open the stream of probes, ms. Chosen: as long as a member may take to become suspect. */
export const STREAM_TIMEOUT_MS = 3_000
/** A dial that fails at once is tried once more after this, ms: the other side may just be closing what was there. Chosen. */
export const REDIAL_PAUSE_MS = 300
/** To reach a member for somebody else, ms: less than the asker waits, so that "not reached" arrives in time. */
export const REACH_TIMEOUT_MS = 700
/** Members reached for others at once, for all askers together. Chosen. */
export const MAX_REACHING = 64
/** Probes from one peer. A member asks about once a second; the rest is room for asking for others. Chosen. */
export const PROBE_BUDGET = { burst: 100, perSecond: 20 } as const
/** Of these, probes of somebody else, each of which costs this node a probe or a dial. Chosen: a mass failure asks for tens at once. */
export const REACH_BUDGET = { burst: 64, perSecond: 4 } as const
/** Probes of one target for all askers together, so that many of them cannot use up what the target grants to this node. */
export const TARGET_BUDGET = { burst: 64, perSecond: 8 } as const
