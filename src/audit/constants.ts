/** Entries kept. Chosen: some 14 MB (280 bytes each, measured 2026-11-21); two weeks of a stranger who does nothing but get refused. */
export const MAX_ENTRIES = 50_000
/** Entries cut at a time, so that not every entry moves the beginning. Chosen. */
export const CUT_ENTRIES = 1_000
/** Entries are written together after this long: a request never waits for its own. Chosen: as the event log. */
export const FLUSH_MS = 500
/** After a write that failed, ms. Chosen. */
export const RETRY_MS = 5_000
/** Entries that wait for a disk that does not take them; what comes after is counted as missed. Chosen: some 3 MB. */
export const MAX_UNWRITTEN = 10_000

/** What is counted instead of written one by one becomes entries after this long. Chosen. */
export const COUNT_WINDOW_MS = 300_000
/** Kinds of such in one window, of known authors and of this node; all others are one entry a code. Chosen. */
export const MAX_GROUPS = 64
/** The same of strangers. Chosen: they must not be able to push out what is kept of others. */
export const MAX_STRANGER_GROUPS = 8
/** Refusals written one by one, of authors whose signature fits, all together. Chosen. */
export const REFUSED_BUDGET = { burst: 500, perSecond: 0.05 } as const
/** The same of all others together. Chosen: enough to see who it is. */
export const STRANGER_REFUSED_BUDGET = { burst: 20, perSecond: 1 / 60 } as const
/** What happened to copies, written one by one, a manifest: one that flaps is counted beyond it. Chosen. */
export const DID_BUDGET = { burst: 100, perSecond: 0.05 } as const

/** A head is shown to others at the latest after so many entries. Chosen. */
export const HEAD_ENTRIES = 256
/** And so long after the first of them, ms. What is rewritten sooner shows to nobody. Chosen. */
export const HEAD_INTERVAL_MS = 5_000
/** Heads are shown to others this often even when nothing was added, ms. Chosen. */
export const WITNESS_INTERVAL_MS = 60_000
/** Members that each head is shown to. Chosen: two may be lost and one still tells. */
export const WITNESSES = 3
/** Heads that a node keeps of another. Chosen: spaced, so that they reach back to the first. */
export const MAX_HEADS = 16
/** Of these, asked to be signed again in one question. Source: fbs/audit_witness.fbs allows 8. */
export const MAX_CHECKS = 4
/** Nodes whose heads are kept; beyond it the one silent for longest is forgotten. Chosen: 16 heads are some 6 KB. */
export const MAX_WITNESSED = 1_000
/** Pairs of contradicting heads that are kept of one node. Chosen: one is a proof. */
export const MAX_EVIDENCE = 4
/** New heads of one node that are written down: durable writes are dear. Chosen. */
export const HEAD_BUDGET = { burst: 20, perSecond: 0.5 } as const

/** Entries in one frame of an answer. Source: fbs/audit_list.fbs allows 1,024; 256 of the longest fit a frame. */
export const ENTRIES_PER_FRAME = 256
