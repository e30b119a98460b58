/** Envelopes, payloads, and what outlives them: records, grants, statements. Bids and facts are in nodes.ts. */

import { signHead } from '../../../src/audit/head.ts'
import { openHead } from '../../../src/audit/index.ts'
import { toHex } from '../../../src/common/index.ts'
import {
  decode,
  MESSAGE_TYPES,
  openEnvelope,
  peekEnvelope,
  type Root,
  SIGNED_OBJECT,
  signObject
} from '../../../src/envelope/index.ts'
import { encodeDeleteRequest, encodeGrant, encodeRecord } from '../../../src/generated/fbs/index.ts'
import { openNodeStatement, signNodeStatement } from '../../../src/members/index.ts'
import { openProviderStatement, signProviderStatement } from '../../../src/providers/index.ts'
import { openMembership, openRevocation, signMembership, signRevocation } from '../../../src/trust/index.ts'
import { openRecord } from '../../../src/workloads/open-record.ts'
import {
  apply,
  bytesOf,
  NETWORK,
  NODE,
  NOW_MS,
  OPTIONS,
  OWNER,
  query,
  RECORD_FIELDS,
  record,
  signed
} from '../../../test/envelope/fixtures.ts'
import { ROOTS, samplesOf } from '../sample.ts'
import type { Target } from '../types.ts'
import { forgeEnvelope, forgeObject, typeOf } from './forge.ts'

const KIB = 1024
const networkId = NETWORK.id
const nowMs = NOW_MS
const context = { networkId, nowMs }
const manifestId = bytesOf('manifest', 36)

const grant = signMembership(OWNER, { subject: NODE.publicKey, networkId, nowMs })
const longGrant = encodeGrant({
  subject: NODE.publicKey,
  actions: ['member', 'member'],
  notBefore: nowMs,
  notAfter: nowMs + 1
})
const recordBytes = signObject({ kind: 'record', body: record(), key: OWNER, networkId })
const tombstone = encodeRecord({ ...RECORD_FIELDS, tombstone: true })
const self = {
  name: 'kestrel',
  addresses: ['/ip4/192.0.2.7/tcp/4001', '/dns4/läuft.example/tcp/1/p2p-circuit'],
  labels: { zone: 'attic', __proto__x: 'y' },
  engines: ['podman', 'docker'],
  version: '0.1.0',
  bootId: bytesOf('boot', 16),
  scheduling: true,
  sealingKey: bytesOf('sealing', 1216),
  sealingEpoch: 1,
  memberships: [grant, bytesOf('no grant', 200)]
}
const node = signNodeStatement(self, { key: NODE, ...context })
const workload = {
  workloadId: 'web-0',
  ordinal: 0,
  state: 'running',
  engine: 'podman',
  message: 'läuft',
  ports: [{ containerPort: 80, hostPort: 19_000, hostIp: '127.0.0.1', protocol: 'TCP' }]
} as const
const provider = signProviderStatement(
  manifestId,
  { version: 7, workloads: [workload, { ...workload, workloadId: 'web-1', ordinal: 1 }] },
  {
    ...context,
    key: NODE,
    nodeName: 'kestrel',
    bootId: self.bootId,
    labels: self.labels,
    capabilities: ['gpu']
  }
)

const revocation = signRevocation(OWNER, {
  grant: toHex(bytesOf('grant', 32)),
  networkId,
  nowMs,
  forgetAfter: nowMs + 1
})
const head = { sequence: 3, hash: bytesOf('hash', 32) }
const auditHead = signHead(head, {
  log: { ...head, sequence: 5, atMs: nowMs, cut: head },
  key: NODE,
  networkId
})

/** Opens a signed object of each kind the way its reader does. */
const OPENERS = {
  record: (bytes: Uint8Array) => openRecord(bytes, { ...context, author: OWNER.publicKey, tombstone: false }),
  grant: (bytes: Uint8Array) => openMembership(bytes, { ...context, subject: NODE.publicKey }),
  node: (bytes: Uint8Array) => openNodeStatement(bytes, context),
  provider: (bytes: Uint8Array) => openProviderStatement(bytes, { ...context, manifestId, source: 'peer' }),
  revocation: (bytes: Uint8Array) => openRevocation(bytes, context),
  auditHead: (bytes: Uint8Array) => openHead(bytes, context)
}
const OBJECTS = { record: recordBytes, grant, node, provider, revocation, auditHead }
const MORE_BODIES = {
  record: [tombstone],
  grant: [longGrant],
  node: [],
  provider: [],
  revocation: [],
  auditHead: []
}
const AUTHORS = {
  record: OWNER,
  grant: OWNER,
  node: NODE,
  provider: NODE,
  revocation: OWNER,
  auditHead: NODE
}
const KINDS = Object.keys(OBJECTS) as (keyof typeof OBJECTS)[]

/** One of each payload an envelope may carry, and the two with most in them. */
const PAYLOADS = [
  ...new Set(
    Object.values(MESSAGE_TYPES).flatMap(({ payloads }) => payloads.flatMap((root) => samplesOf(root)))
  ),
  query(),
  apply(),
  encodeDeleteRequest({ record: recordBytes, replyKey: bytesOf('reply', 1216) })
]

function readEnvelope(bytes: Uint8Array): unknown {
  const envelope = openEnvelope(bytes, OPTIONS)
  envelope.verifySignature()
  const roots: readonly Root<unknown>[] = MESSAGE_TYPES[envelope.type].payloads
  return { ...envelope, id: envelope.id, payload: roots.map((root) => envelope.decodePayload(root)) }
}

export const SIGNED_TARGETS: readonly Target[] = [
  {
    name: 'envelope',
    form: 'flatbuffer',
    maxBytes: 8 * KIB,
    share: 16,
    seeds: [signed(), signed({ type: 'apply', payload: apply() }), forgeEnvelope('reply', bytesOf('x', 64))],
    feed: readEnvelope
  },
  {
    name: 'envelope-peek',
    form: 'flatbuffer',
    maxBytes: 8 * KIB,
    seeds: [signed(), signed({ type: 'apply', payload: apply() })],
    feed: peekEnvelope
  },
  {
    name: 'payload-well-signed',
    form: 'flatbuffer',
    maxBytes: 8 * KIB,
    share: 8,
    seeds: PAYLOADS,
    feed: (payload) => readEnvelope(forgeEnvelope(typeOf(payload), payload))
  },
  ...ROOTS.map(
    (root): Target => ({
      name: `root-${root.name}`,
      form: 'flatbuffer',
      maxBytes: 16 * KIB,
      seeds: samplesOf(root),
      feed: (bytes) => decode(root, bytes)
    })
  ),
  ...KINDS.map(
    (kind): Target => ({
      name: `object-${kind}`,
      form: 'flatbuffer',
      maxBytes: 16 * KIB,
      seeds: [OBJECTS[kind], OBJECTS.grant],
      feed: OPENERS[kind]
    })
  ),
  ...KINDS.map(
    (kind): Target => ({
      name: `object-${kind}-well-signed`,
      form: 'flatbuffer',
      maxBytes: 8 * KIB,
      share: 8,
      seeds: [decode(SIGNED_OBJECT, OBJECTS[kind]).body, ...MORE_BODIES[kind]],
      feed: (body) => OPENERS[kind](forgeObject(kind, body, AUTHORS[kind]))
    })
  )
]
