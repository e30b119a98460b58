import type { MessageTypeName } from '../envelope/index.ts'

/** Everything that differs between two protocols. A new one is a new row. */
export interface Protocol {
  readonly name: string
  /** Message type of the request envelope. */
  readonly request: MessageTypeName
  /** Largest request frame, bytes. */
  readonly maxRequestBytes: number
  /** For the request frame to arrive after the stream opened, ms. */
  readonly requestTimeoutMs: number
  /** For the whole answer, ms; undefined: as long as the asker stays. */
  readonly answerTimeoutMs?: number
  /** Streams one connection may have open at once, each direction, as the asking side counts them. */
  readonly maxStreams: number
  /** Changes state, so its nonce enters the replay table. */
  readonly changesState: boolean
  /** An entry node may pass it on for an owner. */
  readonly forwardable: boolean
  /** May run over a connection that a relay limits. */
  readonly relayed: boolean
}

const KIB = 1024

/** One envelope. Source: facts on wire limits, 2026-11-20 ("frame 256 KiB"). */
export const MAX_ENVELOPE_BYTES = 256 * KIB

/** Streams of one protocol on one connection. Chosen: libp2p's default of 32 is less than a burst of commands. */
export const MAX_STREAMS = 128
/**
 * The answering side takes so many times as many, because it still counts those that have ended for the asking side; what is too
 * many there is reset without a word, on the asking side it is an error.
 */
export const INBOUND_SLACK = 2

const owner = {
  maxRequestBytes: 8 * KIB,
  requestTimeoutMs: 5_000,
  answerTimeoutMs: 60_000,
  maxStreams: MAX_STREAMS,
  changesState: false,
  forwardable: true,
  relayed: true
} as const

/** Owner to node. */
export const OWNER_PROTOCOLS = {
  apply: {
    ...owner,
    name: 'apply',
    request: 'apply',
    maxRequestBytes: MAX_ENVELOPE_BYTES,
    answerTimeoutMs: 600_000,
    changesState: true
  },
  /** Who has room: the entry node asks the others within the selection window. */
  capacity: {
    ...owner,
    name: 'capacity',
    request: 'capacity',
    maxRequestBytes: 16 * KIB,
    answerTimeoutMs: 10_000
  },
  /** What an owner applied, given back to it. */
  fetch: { ...owner, name: 'fetch', request: 'fetch', answerTimeoutMs: 10_000 },
  delete: { ...owner, name: 'delete', request: 'delete', answerTimeoutMs: 120_000, changesState: true },
  status: { ...owner, name: 'status', request: 'status' },
  logs: { ...owner, name: 'logs', request: 'logs', answerTimeoutMs: undefined },
  events: { ...owner, name: 'events', request: 'events', answerTimeoutMs: undefined },
  exec: { ...owner, name: 'exec', request: 'exec', maxRequestBytes: 64 * KIB, answerTimeoutMs: undefined },
  members: { ...owner, name: 'members', request: 'members' },
  providers: { ...owner, name: 'providers', request: 'providers' },
  /** Grants that the asker holds; whoever holds none may knock, too. */
  present: {
    ...owner,
    name: 'present',
    request: 'present',
    maxRequestBytes: 32 * KIB,
    answerTimeoutMs: 10_000
  },
  revoke: { ...owner, name: 'revoke', request: 'revoke', maxRequestBytes: 32 * KIB, changesState: true },
  grants: { ...owner, name: 'grants', request: 'grants' },
  trust: { ...owner, name: 'trust', request: 'trust', changesState: true },
  audit: { ...owner, name: 'audit', request: 'audit' },
  /** What a node holds of a manifest and can open of it. */
  inspect: { ...owner, name: 'inspect', request: 'inspect' },
  /** The machine's owner stops what a guest runs. */
  evict: { ...owner, name: 'evict', request: 'evict', answerTimeoutMs: 120_000, changesState: true },
  cordon: { ...owner, name: 'cordon', request: 'cordon', answerTimeoutMs: 10_000, changesState: true },
  /** Ends when all is moved, at the deadline it names, or when the asker leaves. */
  drain: { ...owner, name: 'drain', request: 'drain', answerTimeoutMs: undefined, changesState: true }
} as const satisfies Record<string, Protocol>
export type OwnerProtocolName = keyof typeof OWNER_PROTOCOLS

/** Node to node. */
export const PEER_PROTOCOLS = {
  exchange: {
    ...owner,
    name: 'exchange',
    request: 'memberExchange',
    maxRequestBytes: MAX_ENVELOPE_BYTES,
    answerTimeoutMs: 10_000,
    forwardable: false
  },
  lookup: { ...owner, name: 'lookup', request: 'lookup', answerTimeoutMs: 5_000, forwardable: false },
  lease: {
    ...owner,
    name: 'lease',
    request: 'lease',
    maxRequestBytes: 128 * KIB,
    answerTimeoutMs: 5_000,
    forwardable: false
  },
  redeem: { ...owner, name: 'redeem', request: 'redeem', answerTimeoutMs: 10_000, forwardable: false },
  revocations: {
    ...owner,
    name: 'revocations',
    request: 'revocations',
    maxRequestBytes: 64 * KIB,
    answerTimeoutMs: 10_000,
    forwardable: false
  },
  witness: { ...owner, name: 'witness', request: 'witness', answerTimeoutMs: 5_000, forwardable: false },
  /** Would you take a copy? */
  bid: {
    ...owner,
    name: 'bid',
    request: 'bidRequest',
    maxRequestBytes: 16 * KIB,
    answerTimeoutMs: 5_000,
    forwardable: false
  },
  /** To a keeper or holder: keep this. It is on disk there before it answers. */
  keep: {
    ...owner,
    name: 'keep',
    request: 'keep',
    maxRequestBytes: MAX_ENVELOPE_BYTES,
    answerTimeoutMs: 10_000,
    forwardable: false
  },
  /** From a keeper: run these copies. Answered when they are written down, not when they run. */
  assign: {
    ...owner,
    name: 'assign',
    request: 'assign',
    maxRequestBytes: MAX_ENVELOPE_BYTES,
    answerTimeoutMs: 15_000,
    forwardable: false
  },
  /** The content key or a share of it. */
  release: { ...owner, name: 'release', request: 'release', answerTimeoutMs: 5_000, forwardable: false },
  /** To a keeper of a fenced manifest: may this copy run for a lease more? */
  fence: {
    ...owner,
    name: 'fence',
    request: 'fence',
    maxRequestBytes: 32 * KIB,
    answerTimeoutMs: 3_000,
    forwardable: false
  }
} as const satisfies Record<string, Protocol>

/** Client to entry node: an envelope for somebody else. Its limits are those of what it carries plus the frame. */
export const FORWARD_PROTOCOL_NAME = 'forward'
export const MAX_FORWARD_BYTES = MAX_ENVELOPE_BYTES + 4 * KIB

/**
 * Node to node, for failure detection: bare frames in both directions on one stream that lasts as long as the connection.
 * No envelopes, because Noise says who is at the other end and what is said is worth nothing to anybody else; and two
 * signatures a probe would cost more than everything else about it.
 */
export const PROBE_PROTOCOL = {
  name: 'probe',
  /** Source: fbs/probe.fbs: 140 bytes with all fields. */
  maxFrameBytes: 256,
  /** One is used; the rest is for those that are ending. */
  maxStreams: 4,
  relayed: true
} as const

/** `/beemesh/<first 8 bytes of the network ID, hex>/<name>/1.0.0` */
export function protocolId(networkTag: string, name: string): string {
  return `/beemesh/${networkTag}/${name}/1.0.0`
}
