/** Relays a node reserves a place at. Chosen: the end of one then leaves it reachable through the other. */
export const MAX_RELAYS = 2
/** Addresses told of each. Chosen: mostly one of the LAN and one from outside. */
export const RELAY_ADDRESSES = 2
/** Relays that are connected are looked at this often, to reserve where a place is missing. Chosen. */
export const RESERVE_INTERVAL_MS = 1_000
/** A relay that refused is asked again after this, then after twice as long each time. Chosen. */
export const RESERVE_WAIT_MS = 2_000
export const RESERVE_MAX_WAIT_MS = 60_000
/** One request for a place. Above the 5 s that libp2p gives it. Chosen. */
export const RESERVE_TIMEOUT_MS = 8_000
/** Relayed connections of one node at a time: each holds a stream to its relay, of which libp2p allows 32. Chosen. */
export const MAX_RELAYED_STREAMS = 300
/** Lost nodes are looked at this often. Chosen. */
export const REDIAL_INTERVAL_MS = 500
/** A lost node is dialled after this, then after twice as long each time. Chosen: more than it takes to be restarted. */
export const REDIAL_WAIT_MS = 1_000
export const REDIAL_MAX_WAIT_MS = 60_000
/** Then it is given up, some 5 minutes after it was lost; when it is back its own statement brings it back. Chosen. */
export const REDIAL_ATTEMPTS = 10
/** Lost nodes remembered, and dialled at once. Same as what the members service dials. */
export const MAX_LOST = 64
export const REDIAL_CONCURRENCY = 4
