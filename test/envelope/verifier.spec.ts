import { expect } from 'chai'
import * as flatbuffers from 'flatbuffers'
import { decode, EnvelopeError, hasIdentifier, type Root, verify } from '../../src/envelope/index.ts'
import { StatusReply } from '../../src/generated/fbs/beemesh/v1/status-reply.ts'
import { writeManifestStatus } from '../../src/generated/fbs/codecs/status.ts'
import {
  APPLY_REQUEST,
  encodeGrant,
  encodeNodeStatement,
  GRANT,
  NODE_STATEMENT,
  QUERY,
  RECORD,
  STATUS_REPLY
} from '../../src/generated/fbs/index.ts'
import { apply, bytesOf, codeOf, query, RECORD_FIELDS, record } from './fixtures.ts'
import { NODE_FIELDS, status } from './samples.ts'

/** The path of the first fault, or 'none'. */
function faultOf(root: Root<unknown>, bytes: Uint8Array): string {
  try {
    decode(root, bytes)
    return 'none'
  } catch (error) {
    if (!(error instanceof EnvelopeError) || error.code !== 'MESSAGE_MALFORMED') throw error
    return error.message
  }
}

/** Little-endian 32 bit words of a buffer whose value is `value`, as byte positions. */
function wordsEqual(bytes: Uint8Array, value: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: number[] = []
  for (let at = 8; at + 4 <= bytes.byteLength; at += 4) if (view.getUint32(at, true) === value) found.push(at)
  return found
}

describe('FlatBuffers verifier', () => {
  it('passes what our encoders make', () => {
    expect(decode(NODE_STATEMENT, encodeNodeStatement(NODE_FIELDS))).to.deep.include(NODE_FIELDS)
    expect(decode(RECORD, record())).to.deep.include(RECORD_FIELDS)
    expect(decode(STATUS_REPLY, status()).manifests[1]?.workloads[0]?.message).to.equal('läuft')
  })

  it('refuses another root', () => {
    expect(hasIdentifier(query(), QUERY)).to.equal(true)
    expect(hasIdentifier(query(), RECORD)).to.equal(false)
    expect(faultOf(RECORD, query())).to.match(/file identifier/)
  })

  it('refuses every prefix', () => {
    const bytes = status()
    // because up to three bytes at the end are padding that nothing refers to
    for (let size = 0; size < bytes.byteLength - 3; size++) {
      expect(faultOf(STATUS_REPLY, bytes.subarray(0, size)), `${size} bytes`).not.to.equal('none')
    }
  })

  it('refuses a count of a million, and a length of fifty million', () => {
    const bytes = apply()
    const counts = wordsEqual(bytes, 1052)
    expect(counts).to.have.length(1)
    for (const count of [1_000_000, 50_000_000, 0xffffffff]) {
      new DataView(bytes.buffer).setUint32(counts[0]!, count, true)
      const started = performance.now()
      expect(faultOf(APPLY_REQUEST, bytes)).to.match(/ApplyRequest\.ciphertext: length/)
      expect(performance.now() - started).to.be.below(50)
    }
  })

  it('gives nothing of a neighbour when a length is forged in a pooled buffer', () => {
    const message = record()
    const pool = Buffer.alloc(message.byteLength + 64, 'SENTINEL')
    pool.set(message)
    const view = pool.subarray(0, message.byteLength)
    // given ciphertext_digest stretched beyond the message
    const counts = wordsEqual(message, 32)
    for (const at of counts) {
      pool.set(message)
      new DataView(pool.buffer, pool.byteOffset).setUint32(at, 80, true)
      expect(faultOf(RECORD, view)).to.match(/length 80, expected exactly 32/)
    }
    expect(counts).to.have.length(2)
  })

  it('refuses offsets that point backward or to themselves', () => {
    const good = status()
    for (const offset of [0, 1, 3, 0xfffffffc, 0x80000000, 0x7fffffff, good.byteLength - 3]) {
      const bytes = Uint8Array.from(good)
      new DataView(bytes.buffer).setUint32(0, offset, true)
      expect(faultOf(STATUS_REPLY, bytes)).to.match(/offset out of range/)
    }
  })

  it('refuses many references to one table, which would multiply what a reader makes of it', () => {
    const builder = new flatbuffers.Builder(8192)
    const manifest = writeManifestStatus(builder, {
      manifestId: bytesOf('manifest', 36),
      kind: 'Pod',
      name: 'web',
      namespace: 'default',
      workloads: [{ workloadId: 'web-0', engine: 'podman', message: 'x'.repeat(4000) }]
    })
    const manifests = StatusReply.createManifestsVector(builder, new Array<number>(500).fill(manifest))
    const nodeName = builder.createString('node')
    StatusReply.startStatusReply(builder)
    StatusReply.addNodeName(builder, nodeName)
    StatusReply.addManifests(builder, manifests)
    builder.finish(StatusReply.endStatusReply(builder), 'BMST')
    const bytes = builder.asUint8Array()

    // given 6 KB that a reader would turn into 2 MB
    expect(STATUS_REPLY.read(bytes).manifests).to.have.length(500)
    expect(bytes.byteLength).to.be.below(7000)
    expect(faultOf(STATUS_REPLY, bytes)).to.match(/: parts overlap$/)
  })

  it('names a missing required field', () => {
    const bytes = encodeGrant({ subject: bytesOf('subject', 32), actions: ['member'] })
    const view = new DataView(bytes.buffer)
    const table = view.getUint32(0, true)
    const vtable = table - view.getInt32(table, true)
    view.setUint16(vtable + 4, 0, true)

    expect(faultOf(GRANT, bytes)).to.equal('Grant.subject: required, but absent')
  })

  it('refuses an enum value it does not know, also inside a vector', () => {
    const bytes = encodeGrant({ subject: bytesOf('subject', 32), actions: ['member', 'none', 'member'] })
    const [at] = wordsEqual(bytes, 3)
    bytes[at! + 4] = 200

    expect(faultOf(GRANT, bytes)).to.equal('Grant.actions.0: not a value of its enum')
  })

  it('refuses a number above 2^53 - 1 and passes that one', () => {
    const highest = Number.MAX_SAFE_INTEGER
    expect(decode(RECORD, RECORD.encode({ ...RECORD_FIELDS, version: highest } as never)).version).to.equal(
      highest
    )
    const above = RECORD.encode({ ...RECORD_FIELDS, version: highest + 1 } as never)

    expect(faultOf(RECORD, above)).to.equal('Record.version: above 2^53 - 1')
  })

  it('refuses a bool that is neither', () => {
    const bytes = encodeNodeStatement(NODE_FIELDS)
    const view = new DataView(bytes.buffer)
    const table = view.getUint32(0, true)
    const vtable = table - view.getInt32(table, true)
    bytes[table + view.getUint16(vtable + 16, true)] = 2

    expect(faultOf(NODE_STATEMENT, bytes)).to.equal('NodeStatement.scheduling: neither false nor true')
  })

  for (const [name, text, fault] of [
    ['NUL', 'a\0b', 'contains NUL'],
    ['more bytes than max', 'x'.repeat(64), 'length 64, expected at most 63']
  ] as const) {
    it(`refuses a string with ${name}`, () => {
      expect(faultOf(NODE_STATEMENT, encodeNodeStatement({ ...NODE_FIELDS, name: text }))).to.equal(
        `NodeStatement.name: ${fault}`
      )
    })
  }

  it('refuses a string that is not UTF-8', () => {
    const bytes = encodeNodeStatement({ ...NODE_FIELDS, name: 'éé' })
    const at = Buffer.from(bytes).indexOf('éé')
    bytes[at] = 0xc0

    expect(faultOf(NODE_STATEMENT, bytes)).to.equal('NodeStatement.name: not UTF-8')
  })

  it('refuses a long string inside a vector', () => {
    const bytes = encodeNodeStatement({ ...NODE_FIELDS, addresses: ['ok', 'x'.repeat(257)] })

    expect(faultOf(NODE_STATEMENT, bytes)).to.equal(
      'NodeStatement.addresses.1: length 257, expected at most 256'
    )
  })

  it('verifies at least 200 000 small messages a second where nothing else runs (here: half of that)', () => {
    const bytes = record()
    for (let i = 0; i < 20_000; i++) verify(RECORD, bytes)
    const started = performance.now()
    for (let i = 0; i < 50_000; i++) verify(RECORD, bytes)

    expect(50_000 / (performance.now() - started)).to.be.above(100)
    expect(codeOf(() => verify(RECORD, bytes))).to.equal('nothing')
  })
})
