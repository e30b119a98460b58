/** What of a Job is done, as nodes say that could read it and keep to no rule. */
import { concat, utf8 } from '../../../src/common/index.ts'
import { encodeDoneStatement, encodeProvenDone } from '../../../src/generated/fbs/index.ts'
import type { Fact } from '../../../src/scheduler/facts/fact.ts'
import { mergeFacts } from '../../../src/scheduler/facts/fact-table.ts'
import { pastOf, toldOf } from '../../../src/scheduler/facts/past.ts'
import { openFact } from '../../../src/scheduler/facts/prove.ts'
import { countCopies } from '../../../src/scheduler/healing/count.ts'
import { signingKeyOfFacts } from '../../../src/sealing/index.ts'
import { bytesOf, NETWORK, NODE, NOW_MS } from '../../../test/envelope/fixtures.ts'
import type { Target } from '../types.ts'
import { forgeObject } from './forge.ts'
import { CONTENT_KEY, JOB_RECORD, PEER } from './small-world.ts'

const KIB = 1024
const networkId = NETWORK.id
const { manifestId, version } = JOB_RECORD

const copies = [{ ordinal: 0, done: 2, failures: 1, over: true, failed: false }]
const about = {
  manifestId,
  version,
  bootId: bytesOf('boot', 16),
  issuedAt: NOW_MS,
  since: NOW_MS,
  slot: NOW_MS
}
const statements = [
  encodeDoneStatement({ ...about, copies, schedule: [], openSlots: [] }),
  encodeDoneStatement({ ...about, copies: [], schedule: [0, 2], openSlots: [{ at: NOW_MS }] }),
  encodeDoneStatement({ ...about, copies: [], schedule: [], openSlots: [] })
]

/** As a node makes them that was given the content key and keeps to no rule. */
function proven(statement: Uint8Array): Uint8Array {
  const bytes = concat(utf8('beemesh.v1/done-proof\0'), networkId, PEER.publicKey, statement)
  return encodeProvenDone({ statement, proof: signingKeyOfFacts(JOB_RECORD, CONTENT_KEY).sign(bytes) })
}

export const FACT = forgeObject('done', proven(statements[0]!), PEER)

/** What keepers and whoever takes a copy over make of it. */
function readFact(bytes: Uint8Array): unknown {
  const fact = openFact(bytes, { key: NODE, networkId, isMember: () => true }, [JOB_RECORD])
  return fact === undefined ? undefined : followFacts(mergeFacts([], [fact]))
}

export function followFacts(facts: readonly Fact[]): unknown {
  const nodes = [{ peerId: PEER.peerId, state: 'alive', bootId: about.bootId }] as const
  return (['job', 'cron'] as const).map((lifetime) => [
    countCopies(JOB_RECORD, [], undefined, toldOf({ lifetime, version }, facts, nodes)),
    pastOf(facts, { version, ordinals: [0, 1], self: NODE.peerId, nowMs: NOW_MS })
  ])
}

export const FACT_TARGETS: readonly Target[] = [
  { name: 'fact', form: 'flatbuffer', maxBytes: 8 * KIB, seeds: [FACT], feed: readFact },
  {
    name: 'fact-well-signed',
    form: 'flatbuffer',
    maxBytes: 8 * KIB,
    seeds: statements.map(proven),
    feed: (body) => readFact(forgeObject('done', body, PEER))
  },
  {
    name: 'fact-well-proven',
    form: 'flatbuffer',
    maxBytes: 7 * KIB,
    share: 8,
    seeds: statements,
    feed: (statement) => readFact(forgeObject('done', proven(statement), PEER))
  }
]
