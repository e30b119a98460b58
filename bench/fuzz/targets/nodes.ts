/** What nodes ask of each other and answer, up to what follows from it: keep, assign, release, fence. */
import { utf8 } from '../../../src/common/index.ts'
import { decode } from '../../../src/envelope/index.ts'
import {
  ASSIGN_REQUEST,
  encodeAssignRequest,
  encodeFenceRequest,
  encodeKeepRequest,
  encodeRecord,
  encodeReleased,
  encodeReleaseRequest,
  encodeVerdict,
  FENCE_REQUEST,
  KEEP_REQUEST,
  RELEASE_REQUEST,
  RELEASED,
  type Root,
  VERDICT,
  type VerdictInit
} from '../../../src/generated/fbs/index.ts'
import { Accepting } from '../../../src/scheduler/accepting/accept-assign.ts'
import { rulesOf } from '../../../src/scheduler/bids/bid.ts'
import { FenceKeeping } from '../../../src/scheduler/fencing/fence-keeping.ts'
import { countCopies } from '../../../src/scheduler/healing/count.ts'
import { nodesFor } from '../../../src/scheduler/healing/nodes-for.ts'
import { mayResume } from '../../../src/scheduler/healing/resume.ts'
import { Keeping } from '../../../src/scheduler/keeping/keeping.ts'
import type { KeptTable } from '../../../src/scheduler/keeping/kept-table.ts'
import { obtainKey } from '../../../src/scheduler/keys/obtain-key.ts'
import { Releasing } from '../../../src/scheduler/keys/release-key.ts'
import { Scaler } from '../../../src/scheduler/scale/scaler.ts'
import type { CheckedRecord, World } from '../../../src/scheduler/types.ts'
import { sealingKeyFromSeed } from '../../../src/sealing/index.ts'
import { bytesOf, NOW_MS, OWNER } from '../../../test/envelope/fixtures.ts'
import type { Target } from '../types.ts'
import { bidTargets } from './bids.ts'
import { FACT, FACT_TARGETS, followFacts } from './facts.ts'
import { canonicalText, forgeObject } from './forge.ts'
import { throwRefusal } from './refused.ts'
import {
  AUTOSCALE,
  check,
  FENCED,
  FENCED_FIELDS,
  JOB,
  JOB_FIELDS,
  JOB_RECORD,
  type MakeWorld,
  PEER,
  PLACEMENT,
  RUNS,
  smallWorld,
  TOMBSTONE
} from './small-world.ts'

const KIB = 1024
const { signal } = new AbortController()
const { manifestId, version } = JOB_RECORD

export async function nodeTargets(): Promise<Target[]> {
  const sealingKey = await sealingKeyFromSeed(bytesOf('sealing seed', 32), { epoch: 1 })
  const make: MakeWorld = (said) => smallWorld(sealingKey, said)
  return [
    ...FACT_TARGETS,
    ...askTargets(make),
    ...recordTargets(make),
    ...answerTargets(make),
    ...(await bidTargets(make))
  ]
}

/** Decodes, asks, and throws what was refused. */
function asking<T>(
  root: Root<T, never>,
  make: MakeWorld,
  act: (request: T, on: { world: World; kept: KeptTable }) => Promise<VerdictInit>
): Target['feed'] {
  return async (payload) => {
    const request = decode(root, payload)
    const on = await make()
    const verdict = await act(request, on)
    if (verdict.code !== undefined) throwRefusal(verdict.code, verdict.message ?? '')
    return [verdict, followFacts(on.kept.facts.of(manifestId))]
  }
}

function askTargets(make: MakeWorld): Target[] {
  const facts = [{ value: FACT }]
  const bundle = { ...JOB, sealedKeys: [...JOB.sealedKeys], sealedShares: [] }
  const bootId = bytesOf('boot', 16)
  const fence = {
    manifestId: FENCED_FIELDS.manifestId,
    version,
    ordinal: 0,
    bootId,
    sequence: 1,
    release: false
  }
  return [
    {
      name: 'ask-keep',
      form: 'flatbuffer',
      maxBytes: 32 * KIB,
      seeds: [
        encodeKeepRequest({ record: JOB.record, ordinals: [0, 1], facts }),
        encodeKeepRequest({ ...bundle, facts }),
        encodeKeepRequest({ record: TOMBSTONE })
      ],
      feed: asking(KEEP_REQUEST, make, (request, on) =>
        new Keeping({ ...on, check, signal, onKept: () => {} }).answer(request, PEER.peerId)
      )
    },
    {
      name: 'ask-assign',
      form: 'flatbuffer',
      maxBytes: 32 * KIB,
      seeds: [
        encodeAssignRequest({ ...bundle, ordinals: [0, 2], facts }),
        encodeAssignRequest({ ...bundle, surplus: [0], replicas: 2 }),
        encodeAssignRequest({ ...bundle, ordinals: [0], drains: true }),
        encodeAssignRequest({ record: TOMBSTONE })
      ],
      feed: asking(ASSIGN_REQUEST, make, (request, on) =>
        new Accepting({
          ...on,
          check,
          signal,
          begunElsewhere: () => [],
          onStarting: () => {},
          onNoPart: () => {}
        }).answer(request, PEER.peerId)
      )
    },
    {
      name: 'ask-release',
      form: 'flatbuffer',
      maxBytes: 4 * KIB,
      share: 2,
      seeds: [encodeReleaseRequest({ manifestId, version, ordinals: [0, 2], sealingEpoch: 1 })],
      feed: asking(RELEASE_REQUEST, make, async (request, on) => {
        const { code, message } = await new Releasing({ ...on, check, signal }).answer(request, PEER.peerId)
        return { code, message }
      })
    },
    {
      name: 'ask-fence',
      form: 'flatbuffer',
      maxBytes: 16 * KIB,
      seeds: [
        encodeFenceRequest({ ...fence, record: FENCED }),
        encodeFenceRequest(fence),
        encodeFenceRequest({ ...fence, release: true })
      ],
      feed: asking(FENCE_REQUEST, make, async (request, on) => {
        const keeping = new FenceKeeping({ ...on, check, clock: () => NOW_MS })
        await keeping.open()
        return keeping.answer(request, PEER.peerId)
      })
    }
  ]
}

/** Records that an owner signed who keeps to no rule, up to what a keeper does with them. */
function recordTargets(make: MakeWorld): Target[] {
  const follow = async (body: Uint8Array) =>
    followRecord(check(forgeObject('record', body, OWNER)), await make())
  const scaled = (autoscale: string) => encodeRecord({ ...FENCED_FIELDS, autoscale })
  return [
    {
      name: 'kept-record-well-signed',
      form: 'flatbuffer',
      maxBytes: 16 * KIB,
      share: 8,
      seeds: [
        encodeRecord(JOB_FIELDS),
        encodeRecord({ ...FENCED_FIELDS, placement: PLACEMENT }),
        encodeRecord({ ...FENCED_FIELDS, perNode: true, placement: PLACEMENT }),
        scaled(AUTOSCALE)
      ],
      feed: follow
    },
    {
      name: 'kept-record-scaling',
      form: 'json',
      maxBytes: 4 * KIB,
      share: 2,
      seeds: [utf8(AUTOSCALE)],
      feed: (bytes) => follow(scaled(canonicalText(bytes)))
    }
  ]
}

async function followRecord(record: CheckedRecord, { world }: { world: World }): Promise<unknown> {
  const leases = world.leased(record.manifestId)
  const nodes = record.perNode ? nodesFor(record, world) : undefined
  const scaler = new Scaler(world)
  const said = await scaler.decide(record, signal)
  const replicas = scaler.wanted(record, leases)
  return [said, countCopies({ ...record, replicas }, leases, nodes), rulesOf(record.placement)]
}

/** Answers to a node that is to start something. */
function answerTargets(make: MakeWorld): Target[] {
  const shared = { check, hasOthers: true, signal }
  const holders = [{ index: 1, node: PEER.publicKey, commitment: bytesOf('commitment', 32) }]
  const shareable = { ...JOB_RECORD, shareHolders: holders, shareThreshold: 2 }
  return [
    {
      name: 'answer-verdict',
      form: 'flatbuffer',
      maxBytes: 24 * KIB,
      seeds: [
        encodeVerdict({ highest: version, facts: [{ value: FACT }] }),
        encodeVerdict({ highest: version + 1, record: TOMBSTONE }),
        encodeVerdict({ highest: 0, code: 'NOT_ALLOWED', message: 'läuft', retryable: true })
      ],
      feed: async (payload) => {
        const { world } = await make({ verdict: decode(VERDICT, payload) })
        return mayResume(world, RUNS, { ...shared, claim: () => [] })
      }
    },
    {
      name: 'answer-released',
      form: 'flatbuffer',
      maxBytes: 4 * KIB,
      share: 1,
      seeds: [
        encodeReleased({ index: 1, enc: bytesOf('enc', 1120), ciphertext: bytesOf('ct', 49) }),
        encodeReleased({ index: 0, enc: bytesOf('enc', 1120), ciphertext: bytesOf('ct', 48) }),
        encodeReleased({ code: 'NOT_YET', message: 'läuft' })
      ],
      feed: async (payload) => {
        const { world } = await make({ released: decode(RELEASED, payload) })
        return obtainKey(world, shareable, { ordinals: [0], signal })
      }
    }
  ]
}
