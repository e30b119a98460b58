import { expect } from 'chai'
import fc from 'fast-check'
import { decode } from '../../src/envelope/index.ts'
import {
  encodeLogReply,
  encodeQuery,
  encodeStatusReply,
  LOG_REPLY,
  LOG_STREAMS,
  PORT_PROTOCOLS,
  QUERY,
  STATUS_REPLY,
  WORKLOAD_STATES
} from '../../src/generated/fbs/index.ts'

const RUNS = { seed: 20_261_121, numRuns: 200 }
const bytes = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((value) => Uint8Array.from(value))
/** No NUL, whole code points, and short enough in UTF-8 for every string of the schemas. */
const text = fc
  .string({ unit: 'grapheme', maxLength: 8 })
  .filter((value) => !value.includes('\0') && Buffer.byteLength(value) <= 32)
const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const u32 = fc.integer({ min: 0, max: 0xffffffff })
const u16 = fc.integer({ min: 0, max: 0xffff })

const port = fc.record({
  containerPort: u16,
  hostPort: u16,
  hostIp: fc.option(text, { nil: undefined }),
  protocol: fc.constantFrom(...PORT_PROTOCOLS)
})
const stats = fc.record({
  at: time,
  cpuNanos: time,
  memoryBytes: time,
  memoryLimitBytes: time,
  networkRxBytes: time,
  networkTxBytes: time,
  blockReadBytes: time,
  blockWriteBytes: time,
  pids: u32
})
const workload = fc.record({
  workloadId: text,
  ordinal: u32,
  state: fc.constantFrom(...WORKLOAD_STATES),
  engine: text,
  ports: fc.array(port, { maxLength: 4 }),
  startedAt: time,
  message: fc.option(text, { nil: undefined }),
  stats: fc.option(stats, { nil: undefined }),
  cpuMillisUsed: u32,
  memoryBytesUsed: time,
  usedAt: time,
  usedOverMs: u32
})
const manifest = fc.record({
  manifestId: bytes(36),
  version: time,
  kind: text,
  name: text,
  namespace: text,
  replicas: u32,
  owner: fc.option(bytes(32), { nil: undefined }),
  keeper: fc.boolean(),
  shareThreshold: fc.nat(255),
  shareHolders: fc.nat(255),
  liveHolders: fc.nat(255),
  standbys: fc.nat(255),
  workloads: fc.array(workload, { maxLength: 3 })
})

describe('generated codecs', () => {
  it('give back any status answer, through the verifier', () => {
    const answers = fc.record({
      nodeName: text,
      manifests: fc.array(manifest, { maxLength: 4 })
    })
    fc.assert(
      fc.property(answers, (answer) => {
        expect(decode(STATUS_REPLY, encodeStatusReply(answer))).to.deep.equal(answer)
      }),
      RUNS
    )
  })

  it('give back any query, through the verifier', () => {
    const queries = fc.record({
      manifestIds: fc.array(fc.record({ value: bytes(36) }), { maxLength: 5 }),
      replyKey: bytes(1216),
      stats: fc.boolean(),
      workloadId: fc.option(text, { nil: undefined }),
      container: fc.option(text, { nil: undefined }),
      follow: fc.boolean(),
      tail: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      since: time,
      nodes: fc.boolean()
    })
    fc.assert(
      fc.property(queries, (query) => {
        expect(decode(QUERY, encodeQuery(query))).to.deep.equal(query)
      }),
      RUNS
    )
  })

  it('fill in defaults: numbers, enums, empty vectors, absent strings', () => {
    const replyKey = new Uint8Array(1216)

    expect(decode(QUERY, encodeQuery({ replyKey }))).to.deep.equal({
      manifestIds: [],
      replyKey,
      stats: false,
      workloadId: undefined,
      container: undefined,
      follow: false,
      tail: -1,
      since: 0,
      nodes: false
    })
  })

  it('carry the largest number of log entries', () => {
    const entries = Array.from({ length: 256 }, (_, i) => ({
      workloadId: 'web-0',
      container: 'web',
      stream: LOG_STREAMS[i % 2]!,
      timestamp: i,
      line: `line ${i}`
    }))

    expect(decode(LOG_REPLY, encodeLogReply({ entries })).entries).to.deep.equal(entries)
  })

  it('make the same bytes of the same value', () => {
    const value = { replyKey: new Uint8Array(1216), workloadId: 'web-0' }

    expect(encodeQuery(value)).to.deep.equal(encodeQuery(value))
  })

  it('give byte fields that share no memory with the message', () => {
    const message = encodeQuery({ replyKey: new Uint8Array(1216).fill(1) })
    const { replyKey } = decode(QUERY, message)
    message.fill(0)

    expect(replyKey.every((byte) => byte === 1)).to.equal(true)
    expect(replyKey.buffer.byteLength).to.equal(1216)
  })
})
