/** Golden bytes of what docs/PROTOCOL.md describes, from fixed keys, nonces and times. `write-vectors.ts` writes them. */
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core'
import { XWing } from '@hpke/hybridkem-x-wing'
import {
  hex,
  NETWORK,
  NODE,
  NODE_AUDIENCE,
  NODE_SEED,
  NOW_MS,
  OWNER,
  OWNER_SEED,
  pattern,
  VERSION
} from '../../scripts/gen/vectors-inputs.ts'
import { concat, utf8 } from '../../src/common/index.ts'
import {
  decode,
  openEnvelope,
  openObject,
  type SignedObjectKind,
  signEnvelope,
  signObject
} from '../../src/envelope/index.ts'
import {
  encodeForward,
  encodeQuery,
  encodeRecord,
  encodeReply,
  encodeStatusReply,
  PROVEN_DONE,
  type WorkloadInit
} from '../../src/generated/fbs/index.ts'
import { audienceOf, deriveSecret } from '../../src/identity/index.ts'
import { formatManifestId, manifestId, manifestSalt } from '../../src/manifest/index.ts'
import { signNodeStatement } from '../../src/members/index.ts'
import { signProviderStatement } from '../../src/providers/index.ts'
import { openFact, signFact } from '../../src/scheduler/facts/prove.ts'
import type { World } from '../../src/scheduler/types.ts'
import { signingKeyOfFacts } from '../../src/sealing/index.ts'
import { frameSealer } from '../../src/sealing/reply-channel.ts'
import { signMembership } from '../../src/trust/index.ts'

const NAME = { namespace: 'default', kind: 'Deployment', name: 'web' } as const
const SALT = manifestSalt(deriveSecret(OWNER, 'manifest-salt'), NAME)
const ID = manifestId({ networkId: NETWORK.id, owner: OWNER.publicKey, salt: SALT, ...NAME })
const networkId = NETWORK.id
const bootId = pattern('boot', 16)
const workload: WorkloadInit = {
  workloadId: 'web-0123456789',
  ordinal: 2,
  state: 'running',
  engine: 'podman',
  ports: [{ containerPort: 80, hostPort: 19_000, hostIp: '127.0.0.1', protocol: 'TCP' }],
  startedAt: NOW_MS
}

/** File name without `.json` -> content. */
export async function protocolVectors(): Promise<Record<string, unknown>> {
  const { forward, statusAnswer } = await statusVectors()
  return {
    'manifest-id': {
      ownerSeed: hex(OWNER_SEED),
      networkName: NETWORK.name,
      networkId: hex(networkId),
      ...NAME,
      ownerSecret: hex(deriveSecret(OWNER, 'manifest-salt')),
      salt: hex(SALT),
      manifestId: hex(ID),
      text: formatManifestId(ID)
    },
    'job-facts': await jobFacts(),
    'signed-statements': { networkId: hex(networkId), nowMs: NOW_MS, statements: statementVectors() },
    forward,
    'status-answer': statusAnswer
  }
}

function statementVectors(): unknown[] {
  const grant = signMembership(OWNER, { subject: NODE.publicKey, networkId, nowMs: NOW_MS })
  const key = NODE
  const self = {
    name: 'kestrel',
    addresses: ['/ip4/192.0.2.7/tcp/4001'],
    labels: { zone: 'attic' },
    engines: ['podman'],
    version: '0.1.0',
    bootId,
    scheduling: true,
    sealingKey: pattern('sealing key', 1216),
    sealingEpoch: 1,
    memberships: [grant]
  }
  const node = signNodeStatement(self, { key, networkId, nowMs: NOW_MS })
  const provided = { version: VERSION, workloads: [workload] }
  const context = { key, networkId, nowMs: NOW_MS, nodeName: 'kestrel', bootId }
  const provider = signProviderStatement(ID, provided, context)
  return [
    statement('grant', OWNER_SEED, grant),
    statement('node', NODE_SEED, node),
    statement('provider', NODE_SEED, provider)
  ]
}

/** A Job's record, and what a node that could read it says of it. */
async function jobFacts(): Promise<unknown> {
  const contentKey = pattern('content key', 32)
  const about = { manifestId: ID, version: VERSION }
  const factsKey = signingKeyOfFacts(about, contentKey).publicKey
  const body = encodeRecord({
    ...about,
    issuedAt: NOW_MS,
    notAfter: NOW_MS + 86_400_000,
    replicas: 1,
    cipher: 'aes256gcm',
    kem: 'xwing',
    plaintextBytes: 21,
    ciphertextDigest: pattern('digest', 32),
    keyCommitment: pattern('commitment', 32),
    lifetime: 'job',
    factsKey
  })
  const world = {
    key: NODE,
    networkId,
    now: () => NOW_MS,
    neighbours: () => [{ self: true, bootId }],
    workloads: { contentKeyOf: async () => Uint8Array.from(contentKey) },
    isMember: () => true
  } as unknown as World
  const copies = [{ ordinal: 0, done: 1, failures: 2, over: true, failed: false }]
  const said = { version: VERSION, copies, schedule: [], since: 0, slot: 0, openSlots: [] }
  const fact = (await signFact(world, ID, said))!
  openFact(fact, { ...world, key: OWNER }, [{ ...about, factsKey }])
  const { statement: proven, proof } = decode(PROVEN_DONE, openObject(fact, { kind: 'done', networkId }).body)
  return {
    networkId: hex(networkId),
    manifestId: hex(ID),
    version: VERSION,
    contentKey: hex(contentKey),
    factsKey: hex(factsKey),
    record: statement('record', OWNER_SEED, signObject({ kind: 'record', body, key: OWNER, networkId })),
    statement: hex(proven),
    proof: hex(proof!),
    fact: statement('done', NODE_SEED, fact)
  }
}

function statement(kind: SignedObjectKind, seed: Uint8Array, signedObject: Uint8Array) {
  const { body, digest } = openObject(signedObject, { kind, networkId })
  return {
    kind,
    authorSeed: hex(seed),
    body: hex(body),
    signedObject: hex(signedObject),
    digest: hex(digest)
  }
}

async function statusVectors() {
  const replySeed = pattern('reply seed', 32)
  const suite = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  // because own() of a Buffer's pool would hand the library its neighbours
  const own = (bytes: Uint8Array) => Uint8Array.from(bytes).buffer
  const { publicKey } = await new XWing().generateKeyPairDerand(Uint8Array.from(replySeed))
  const replyKey = new Uint8Array(await suite.kem.serializePublicKey(publicKey))
  const payload = encodeQuery({ replyKey, manifestIds: [{ value: ID }] })
  const audience = NODE_AUDIENCE
  const nonce = pattern('status nonce', 16)
  const common = { networkId, nowMs: NOW_MS, nonce }
  const request = signEnvelope({ type: 'status', payload, key: OWNER, audience, ...common })
  const { id } = openEnvelope(request, { networkId, nowMs: NOW_MS, audience })
  const addresses = ['/ip4/192.0.2.7/tcp/4001']
  const frame = encodeForward({ target: NODE.publicKey, addresses, protocol: 'status', envelope: request })

  const answerKey = pattern('answer key', 32)
  const ekm = pattern('encapsulation', 64)
  const info = concat(utf8('beemesh.v1/reply-key\0'), networkId, NODE.publicKey)
  const sender = await suite.createSenderContext({
    recipientPublicKey: publicKey,
    info: own(info),
    ekm: own(ekm)
  })
  const wrappedKey = new Uint8Array(await sender.seal(own(answerKey), own(id)))
  const seal = frameSealer(answerKey, id)
  const manifest = { manifestId: ID, version: VERSION, ...NAME, replicas: 3, workloads: [workload] }
  const bodies = [
    encodeStatusReply({ nodeName: 'kestrel', manifests: [manifest] }),
    encodeStatusReply({ nodeName: 'kestrel' })
  ]
  const frames = bodies.map((body, sequence) => {
    const last = sequence === bodies.length - 1
    const first = sequence === 0 ? { enc: new Uint8Array(sender.enc), wrappedKey } : {}
    const reply = encodeReply({ sequence, last, sealed: true, ...first, body: seal(sequence, last, body) })
    const to = audienceOf(OWNER.publicKey)
    return signEnvelope({ type: 'reply', payload: reply, key: NODE, audience: to, ...common })
  })
  return {
    forward: {
      target: hex(NODE.publicKey),
      addresses,
      protocol: 'status',
      envelope: hex(request),
      frame: hex(frame)
    },
    statusAnswer: {
      ownerSeed: hex(OWNER_SEED),
      nodeSeed: hex(NODE_SEED),
      networkId: hex(networkId),
      nowMs: NOW_MS,
      replyKeySeed: hex(replySeed),
      encapsulationSeed: hex(ekm),
      answerKey: hex(answerKey),
      request: hex(request),
      requestId: hex(id),
      nonce: hex(nonce),
      frames: frames.map((envelope, index) => ({ envelope: hex(envelope), body: hex(bodies[index]!) }))
    }
  }
}
