import {
  APPLY_REQUEST,
  ASSIGN_REQUEST,
  AUDIT_REQUEST,
  AUDIT_WITNESS,
  BID_LIST,
  BID_REQUEST,
  CAPACITY_REQUEST,
  CORDON_REQUEST,
  DELETE_REQUEST,
  DRAIN_REQUEST,
  EVICT_REQUEST,
  EXCHANGE,
  EXEC_REQUEST,
  FENCE_REQUEST,
  FETCH_REQUEST,
  KEEP_REQUEST,
  LEASE,
  LOOKUP,
  PRESENT_REQUEST,
  PROVIDER_LIST,
  QUERY,
  REDEEM,
  REDEEMED,
  RELEASE_REQUEST,
  RELEASED,
  REPLY,
  REVOCATIONS,
  REVOKE_REQUEST,
  type Root,
  TRUST_REQUEST,
  VERDICT
} from '../generated/fbs/index.ts'
import { hasIdentifier } from './verifier.ts'

/** Everything the envelope knows about a kind of message. A new kind is a new row. */
export interface MessageType {
  /** Byte 6 of the header. Never given to another meaning. */
  readonly type: number
  readonly name: MessageTypeName
  /** What the payload may be; none: reserved, refused for now. */
  readonly payloads: readonly Root<unknown>[]
  /** Whether the audience may be left out. */
  readonly broadcastAllowed: boolean
  /** Whether owners (people, pipelines) may author it. The envelope only says so; the handler checks. */
  readonly fromOwner: boolean
  /** Whether nodes may author it; it must then arrive from that node's own connection, or be carried as an answer. */
  readonly fromNode: boolean
}

export const MESSAGE_TYPE_NAMES = [
  'apply',
  'delete',
  'status',
  'logs',
  'members',
  'providers',
  'reply',
  'memberExchange',
  'lookup',
  'providerList',
  'event',
  'exec',
  'lease',
  'events',
  'present',
  'revoke',
  'grants',
  'redeem',
  'redeemed',
  'revocations',
  'audit',
  'witness',
  'trust',
  'capacity',
  'bidRequest',
  'bidList',
  'keep',
  'assign',
  'release',
  'released',
  'verdict',
  'inspect',
  'evict',
  'fetch',
  'cordon',
  'drain',
  'fence'
] as const
export type MessageTypeName = (typeof MESSAGE_TYPE_NAMES)[number]

const owner = { broadcastAllowed: false, fromOwner: true, fromNode: false } as const
const node = { broadcastAllowed: false, fromOwner: false, fromNode: true } as const

export const MESSAGE_TYPES: Readonly<Record<MessageTypeName, MessageType>> = {
  apply: { type: 1, name: 'apply', payloads: [APPLY_REQUEST], ...owner },
  delete: { type: 2, name: 'delete', payloads: [DELETE_REQUEST], ...owner },
  status: { type: 3, name: 'status', payloads: [QUERY], ...owner },
  logs: { type: 4, name: 'logs', payloads: [QUERY], ...owner },
  members: { type: 5, name: 'members', payloads: [QUERY], ...owner },
  providers: { type: 6, name: 'providers', payloads: [QUERY], ...owner },
  // because a node that could not even read who asks has no audience to name; askers match the nonce
  reply: { type: 7, name: 'reply', payloads: [REPLY], ...node, broadcastAllowed: true },
  memberExchange: {
    type: 8,
    name: 'memberExchange',
    payloads: [EXCHANGE],
    ...node,
    broadcastAllowed: true
  },
  lookup: { type: 9, name: 'lookup', payloads: [LOOKUP], ...node },
  providerList: { type: 10, name: 'providerList', payloads: [PROVIDER_LIST], ...node },
  event: { type: 11, name: 'event', payloads: [], ...node, broadcastAllowed: true },
  exec: { type: 12, name: 'exec', payloads: [EXEC_REQUEST], ...owner },
  lease: { type: 13, name: 'lease', payloads: [LEASE], ...node },
  events: { type: 14, name: 'events', payloads: [QUERY], ...owner },
  present: { type: 15, name: 'present', payloads: [PRESENT_REQUEST], ...owner },
  revoke: { type: 16, name: 'revoke', payloads: [REVOKE_REQUEST], ...owner },
  grants: { type: 17, name: 'grants', payloads: [QUERY], ...owner },
  redeem: { type: 18, name: 'redeem', payloads: [REDEEM], ...node },
  redeemed: { type: 19, name: 'redeemed', payloads: [REDEEMED], ...node },
  revocations: { type: 20, name: 'revocations', payloads: [REVOCATIONS], ...node },
  audit: { type: 21, name: 'audit', payloads: [AUDIT_REQUEST], ...owner },
  witness: { type: 22, name: 'witness', payloads: [AUDIT_WITNESS], ...node },
  trust: { type: 23, name: 'trust', payloads: [TRUST_REQUEST], ...owner },
  capacity: { type: 24, name: 'capacity', payloads: [CAPACITY_REQUEST], ...owner },
  bidRequest: { type: 25, name: 'bidRequest', payloads: [BID_REQUEST], ...node },
  bidList: { type: 26, name: 'bidList', payloads: [BID_LIST], ...node },
  keep: { type: 27, name: 'keep', payloads: [KEEP_REQUEST], ...node },
  assign: { type: 28, name: 'assign', payloads: [ASSIGN_REQUEST], ...node },
  release: { type: 29, name: 'release', payloads: [RELEASE_REQUEST], ...node },
  released: { type: 30, name: 'released', payloads: [RELEASED], ...node },
  verdict: { type: 31, name: 'verdict', payloads: [VERDICT], ...node },
  inspect: { type: 32, name: 'inspect', payloads: [QUERY], ...owner },
  evict: { type: 33, name: 'evict', payloads: [EVICT_REQUEST], ...owner },
  fetch: { type: 40, name: 'fetch', payloads: [FETCH_REQUEST], ...owner },
  cordon: { type: 41, name: 'cordon', payloads: [CORDON_REQUEST], ...owner },
  drain: { type: 42, name: 'drain', payloads: [DRAIN_REQUEST], ...owner },
  fence: { type: 50, name: 'fence', payloads: [FENCE_REQUEST], ...node }
}

const BY_NUMBER = new Map(Object.values(MESSAGE_TYPES).map((row) => [row.type, row]))

/** The row of a header's type byte, or undefined for one this software does not know. */
export function messageTypeOf(type: number): MessageType | undefined {
  return BY_NUMBER.get(type)
}

/** The root a payload claims to be, when its message type allows it. */
export function payloadRoot(row: MessageType, payload: Uint8Array): Root<unknown> | undefined {
  return row.payloads.find((root) => hasIdentifier(payload, root))
}
