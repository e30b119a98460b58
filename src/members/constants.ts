/** How long a statement may be believed. Chosen: long enough to bridge a laptop's nap, short enough to forget the gone. */
export const STATEMENT_LIFETIME_MS = 60 * 60 * 1000
/** A node that nothing changed about repeats its statement this often. Source: a sixth of its life; in a mesh of 20 each costs 300 KB. */
export const STATEMENT_INTERVAL_MS = 600_000
/** Whether something changed is looked at this often. Chosen. */
export const STATEMENT_CHECK_MS = 60_000
/** One random connected node is asked what it knows this often. Source: facts on membership, anti-entropy every 10-30 s. */
export const EXCHANGE_INTERVAL_MS = 10_000
/** Nodes remembered. Beyond it the newcomer is refused. Source: facts, full lists work to about 5,000 nodes. */
export const MAX_MEMBERS = 5_000
/** Frames of one exchange: a newcomer to a mesh of a thousand learns them all in 42. Chosen. */
export const MAX_EXCHANGE_ROUNDS = 64
/** Statements in one frame; about 2.5 KiB each, so that it stays below 64 KiB. */
export const STATEMENTS_PER_FRAME = 24
/** Nodes this one dials of itself; beyond it the DHT's neighbours are enough. Chosen. */
export const MAX_DIALLED = 64
/** Dials at once. */
export const DIAL_CONCURRENCY = 4
/** One dial. Source: facts, a dead address takes 6 s by itself. */
export const DIAL_TIMEOUT_MS = 3_000
/** One node's statement, memberships included. Source: fbs/node.fbs: about 2.5 KiB with one; 24 of them fit a frame. */
export const MAX_STATEMENT_BYTES = 8 * 1024
/** Revocations in one frame. Source: fbs/members.fbs; more than that of 24 nodes means that somebody cleans up. */
export const MAX_REVOCATIONS_SHOWN = 64
/** To say goodbye to the connected members, all together, ms. Chosen: nobody waits long for a node to stop. */
export const GOODBYE_TIMEOUT_MS = 500
/** Clock difference tolerated in statements. Same as the envelope's window. */
export const CLOCK_SKEW_MS = 30_000
/** A bootstrap node that is not connected is dialled after this, then after twice as long each time. Chosen. */
export const BOOTSTRAP_INTERVAL_MS = 3_000
/** The longest between two dials: what a mesh waits for at most after its bootstrap node is back. Chosen. */
export const BOOTSTRAP_MAX_WAIT_MS = 12_000
/** Addresses of a statement that are kept for those through relays, at the end. Source: MAX_RELAYS times RELAY_ADDRESSES of reach. */
export const MAX_RELAYED_ADDRESSES = 4
/** Events of nodes kept in memory. Chosen: a mesh of a hundred that restarts every few hours, for a day. */
export const MAX_NODE_EVENTS = 1_000
/** Statements a node may spread by gossip: a burst, and a second. Chosen: one a minute, and one for each change of address or idleness. */
export const GOSSIP_BUDGET = { burst: 30, perSecond: 2 } as const
/** The same of all nodes not heard of yet together; the others are learned by exchange. Chosen: a mesh of a thousand in 20 s. */
export const NEWCOMER_BUDGET = { burst: 200, perSecond: 50 } as const
