/** How long a DHT provider record lives where it is held. Source: ARCHITECTURE section 7. */
export const PROVIDER_TTL_MS = 3_600_000
/** A provider's statement may be believed this long. Source: ARCHITECTURE section 1, lease. */
export const LEASE_MS = 10_000
/** How long it is remembered who to ask first. Source: ARCHITECTURE section 7. */
export const CACHE_TTL_MS = 300_000
/** Manifests remembered; the one unasked for longest goes first. Chosen. */
export const CACHE_MAX_MANIFESTS = 4_096
/** Providers a search returns unless it is asked for more. Source: ARCHITECTURE section 7. */
export const MAX_PROVIDERS = 50
/** Providers of a manifest that are remembered, and asked in a search: of one with a copy on every node there are many. Chosen. */
export const MAX_KNOWN_PROVIDERS = 1_024
/** Nodes asked at one time in a search. Chosen: a stream each. */
export const MAX_ASKED_AT_ONCE = 128
/** Statements in one frame, bytes. Source: a frame takes 224 KiB. */
export const MAX_LIST_BYTES = 200 * 1024
/** Connected nodes asked at once. Chosen: a question is one round trip and about 500 bytes. */
export const MAX_ASKED_PEERS = 32
/** One node's answer. Source: facts, a frozen node must not hold up the others; pings take below 0.5 s. */
export const ASK_TIMEOUT_MS = 2_000
/** Of the connected, in the order of who is nearest in the DHT's metric and so likely holds the records: how many are asked first, and then. */
export const NEAREST_FIRST = [1, 3] as const
/** Whom a node names that runs nothing itself. Chosen: one answers mostly, some may be gone. */
export const MAX_HINTS = 8
/** Those who are likely to know are asked so long before everybody else. Chosen: some round trips. */
export const HEAD_START_MS = 100
/** A whole search. Source: ARCHITECTURE section 7. */
export const FIND_TIMEOUT_MS = 30_000
/** The DHT part of a search: a walk takes 0.2-2 s, up to 7 s beside a frozen node (facts, 2026-11-20). */
export const DHT_TIMEOUT_MS = 8_000
/** One announcement in the DHT. Source: facts, provide takes 13 ms to 2 s with up to 100 nodes. */
export const PROVIDE_TIMEOUT_MS = 10_000
/** After a failed announcement: doubling from the first to the last. Chosen. */
export const PROVIDE_BACKOFF_MS = { first: 500, last: 60_000 } as const
/** Nodes that hold an announcement at most. Source: Kademlia's k, kad-dht's default. */
export const DHT_COPIES = 20
/** After a new connection the announcements are repeated once things are quiet. Chosen. */
export const REPROVIDE_QUIET_MS = 1_000
/** Clock difference tolerated in statements. Same as the envelope's window. */
export const CLOCK_SKEW_MS = 30_000
/** A search that asked everybody is not repeated for this long. Source: as a lease, after which every word is asked for anew. */
export const COMPLETE_MS = LEASE_MS
/** The same where nobody was found. Chosen: short, because what is looked for is mostly just being started. */
export const NEGATIVE_MS = 1_000
/** Who asked is told of changes for so long. Source: as long as it remembers the answer. */
export const INTEREST_MS = CACHE_TTL_MS
/** Nodes told of changes, and manifests each is told of; others ask again when the lease is over. Chosen; the second is a frame's limit. */
export const INTEREST_MAX_PEERS = 1_024
export const INTEREST_MAX_MANIFESTS = 1_024
/** Leases are renewed this often. Source: a third of a lease, so that one may be lost. */
export const RENEW_MS = LEASE_MS / 3
/** Changes are told together after this long, ms. Chosen. */
export const TELL_QUIET_MS = 20
/** Nodes told at once. Chosen. */
export const TELL_CONCURRENCY = 16
/** Statements a node may spread by gossip: a burst, and a second. Chosen for fifty commands a second. */
export const GOSSIP_BUDGET = { burst: 500, perSecond: 100 } as const
/** A statement of this node is given to all who ask within this time, ms. Chosen: a tenth of a lease. */
export const RESIGN_MS = LEASE_MS / 10
