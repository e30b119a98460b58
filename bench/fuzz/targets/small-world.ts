/** A node among three others as far as the scheduler sees it, the same in every run: who feeds it mutants is the second of them. */

import { signObject } from '../../../src/envelope/index.ts'
import type { Released, Verdict } from '../../../src/generated/fbs/index.ts'
import { encodeRecord } from '../../../src/generated/fbs/index.ts'
import { signingKeyFromSeed } from '../../../src/identity/index.ts'
import { canonicalAutoscale, canonicalRules } from '../../../src/manifest/index.ts'
import { NO_RULES } from '../../../src/scheduler/bids/bid.ts'
import { checkRecord } from '../../../src/scheduler/keeping/check-record.ts'
import { KeptTable } from '../../../src/scheduler/keeping/kept-table.ts'
import type { CheckedRecord, Lease, Neighbour, World } from '../../../src/scheduler/types.ts'
import { encryptManifest, type SealingKey, signingKeyOfFacts } from '../../../src/sealing/index.ts'
import { memoryStore } from '../../../src/store/index.ts'
import { ownersOnly } from '../../../src/trust/index.ts'
import type { Bundle, StoredManifest } from '../../../src/workloads/index.ts'
import { bytesOf, NETWORK, NODE, NOW_MS, OWNER } from '../../../test/envelope/fixtures.ts'
import { quietLogger } from '../../../test/fixtures/quiet-logger.ts'

export const PEER = signingKeyFromSeed(bytesOf('peer', 32))
const OTHERS = [PEER, ...['third', 'fourth'].map((label) => signingKeyFromSeed(bytesOf(label, 32)))]
const networkId = NETWORK.id
const trust = ownersOnly(new Set([OWNER.peerId]))
export const check = (bytes: Uint8Array): CheckedRecord => checkRecord(bytes, { networkId, trust })

export const CONTENT_KEY = bytesOf('content key', 32)
const VERSION = NOW_MS
export const PLACEMENT = canonicalRules({
  ...NO_RULES,
  nodes: ['n0', 'n1'],
  nodeSelector: { zone: 'attic' },
  requiredTerms: [
    { expressions: [{ key: 'zone', operator: 'In', values: ['attic', 'cellar'] }], fields: [] }
  ],
  preferredTerms: [
    { weight: 7, term: { expressions: [{ key: 'cores', operator: 'Gt', values: ['4'] }], fields: [] } }
  ],
  apart: [{ topologyKey: 'zone', required: false, weight: 9 }],
  tolerations: [{ key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoSchedule' }],
  spread: [{ topologyKey: 'zone', maxSkew: 1, required: true }],
  priority: 3
})!
const scaling = {
  stabilizationMs: 0,
  select: 'Max',
  policies: [{ type: 'Percent', value: 100, periodMs: 15_000 }]
} as const
export const AUTOSCALE = canonicalAutoscale({
  minReplicas: 1,
  maxReplicas: 3,
  metrics: [{ resource: 'cpu', utilization: 50 }],
  requests: { cpuMillis: 100, memoryBytes: 0 },
  behaviour: { scaleUp: scaling, scaleDown: scaling }
})

const job = { manifestId: bytesOf('job', 36), version: VERSION }
const encrypted = encryptManifest({
  ...job,
  networkId,
  owner: OWNER.publicKey,
  plaintext: bytesOf('document', 300),
  key: Uint8Array.from(CONTENT_KEY),
  nonce: bytesOf('nonce', 12)
})
export const JOB_FIELDS = {
  ...job,
  issuedAt: NOW_MS,
  notAfter: NOW_MS + 86_400_000,
  replicas: 3,
  cpuMillis: 100,
  memoryBytes: 64 * 1024 * 1024,
  cipher: 'aes256gcm',
  kem: 'xwing',
  plaintextBytes: 300,
  ciphertextDigest: encrypted.digest,
  keyCommitment: encrypted.commitment,
  lifetime: 'job',
  factsKey: signingKeyOfFacts(job, CONTENT_KEY).publicKey
} as const
export const FENCED_FIELDS = {
  ...JOB_FIELDS,
  manifestId: bytesOf('fenced', 36),
  lifetime: 'service',
  factsKey: undefined,
  onPartition: 'fence',
  fenceKeepers: [{ node: NODE.publicKey }]
} as const
const signRecord = (body: Uint8Array) => signObject({ kind: 'record', body, key: OWNER, networkId })
export const JOB: Bundle = {
  record: signRecord(encodeRecord(JOB_FIELDS)),
  ciphertext: encrypted.ciphertext,
  // not read by anybody here, but who is named is
  sealedKeys: [
    { recipient: NODE.publicKey, sealingEpoch: 1, enc: bytesOf('enc', 1120), ciphertext: bytesOf('ct', 48) }
  ],
  sealedShares: []
}
export const FENCED = signRecord(encodeRecord(FENCED_FIELDS))
export const TOMBSTONE = signRecord(
  encodeRecord({
    ...job,
    version: VERSION + 1,
    issuedAt: NOW_MS,
    notAfter: NOW_MS + 86_400_000,
    tombstone: true
  })
)
export const JOB_RECORD = check(JOB.record)

/** The Job as the node holds it that runs copy 0. */
export const RUNS = {
  manifestId: JOB_RECORD.manifestId,
  owner: OWNER.peerId,
  version: VERSION,
  recordDigest: JOB_RECORD.digest,
  highest: { version: VERSION, recordDigest: JOB_RECORD.digest },
  record: JOB.record,
  tombstone: false,
  job: {},
  workloads: [{ workloadId: 'sum-0', ordinal: 0, engine: 'mock', state: 'running', ports: [] }]
} as unknown as StoredManifest

/** What the others answer. */
export interface Said {
  readonly verdict?: Verdict
  readonly released?: Released
}

export type MakeWorld = (said?: Said) => Promise<{ world: World; kept: KeptTable }>

export async function smallWorld(
  sealingKey: SealingKey,
  said: Said = {}
): Promise<{ world: World; kept: KeptTable }> {
  let nowMs = NOW_MS
  const neighbours: Neighbour[] = [NODE, ...OTHERS].map(({ peerId, publicKey }, index) => ({
    peerId,
    publicKey,
    name: `n${index}`,
    self: index === 0,
    state: 'alive',
    scheduling: true,
    labels: { zone: 'attic' },
    engines: ['mock'],
    sealingKey: sealingKey.publicKey,
    sealingEpoch: 1,
    bootId: bytesOf('boot', 16)
  }))
  const lease: Lease = {
    peerId: OTHERS[1]!.peerId,
    version: VERSION,
    highest: VERSION,
    workloads: [
      { workloadId: 'sum-1', ordinal: 1, state: 'running', engine: 'mock', ports: [], startedAt: 1 }
    ] as never
  }
  const room = { cpuMillis: 4_000, memoryBytes: 2 ** 33, storageBytes: 2 ** 36, pods: 100 }
  const verdict = said.verdict ?? { retryable: false, highest: 0, facts: [], taken: [] }
  const store = memoryStore()
  const world: World = {
    key: NODE,
    networkId,
    nodeName: 'n0',
    store,
    log: quietLogger,
    trust: () => trust,
    sealingKey: () => sealingKey,
    load: () => 0,
    startedAtMs: NOW_MS - 1_000,
    now: () => nowMs,
    random: () => 0.5,
    delay: async (ms) => {
      nowMs += ms
    },
    neighbours: () => neighbours,
    isMember: () => true,
    asks: {
      keep: async () => verdict,
      assign: async () => verdict,
      fence: async () => verdict,
      bid: async () => ({ bids: [], asked: 0, members: 0 }),
      release: async () => said.released ?? { code: 'NOT_KEPT', message: '', index: 0 }
    },
    leased: () => [lease],
    find: async () => [lease],
    workloads: {
      get: () => undefined,
      list: () => [],
      assign: async () => RUNS,
      drop: async () => {},
      leave: () => {},
      bury: async () => {},
      passBy: async () => {},
      fence: async () => {},
      unfence: async () => {},
      extend: async () => {},
      guardedUntil: async () => undefined,
      contentKeyOf: async () => Uint8Array.from(CONTENT_KEY),
      resources: () => ({ free: room, allocatable: room }) as never
    }
  }
  const kept = new KeptTable(store, check)
  await kept.take(JOB_RECORD, JOB, NOW_MS)
  return { world, kept }
}
