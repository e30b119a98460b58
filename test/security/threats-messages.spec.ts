import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { forgeEnvelope, forgeObject } from '../../bench/fuzz/targets/forge.ts'
import {
  decode,
  ENVELOPE,
  openEnvelope,
  QUERY,
  signEnvelope,
  signObject,
  verifyStrict
} from '../../src/envelope/index.ts'
import { encodeNodeStatement, encodeQuery, encodeRecord } from '../../src/generated/fbs/index.ts'
import { openNetwork } from '../../src/identity/index.ts'
import { openNodeStatement } from '../../src/members/index.ts'
import { createReplyKeyPair, generateSealingKey } from '../../src/sealing/index.ts'
import { jsonCodec, memoryStore } from '../../src/store/index.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import { Doors, ReplayGuard } from '../../src/wire/index.ts'
import { openContent, openRecord } from '../../src/workloads/open-record.ts'
import {
  AUDIENCE,
  bytesOf,
  codeOf,
  codeOfAsync,
  NETWORK,
  NODE,
  NOW_MS,
  OPTIONS,
  OWNER,
  query,
  RECORD_FIELDS,
  STRANGER,
  signed
} from '../envelope/fixtures.ts'
import { NODE_FIELDS } from '../envelope/samples.ts'
import vectors from '../vectors/ed25519-strictness.json' with { type: 'json' }
import { channelPair } from '../wire/memory-channel.ts'

const now = () => NOW_MS
const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const networkId = NETWORK.id

function createDoors() {
  const replay = new ReplayGuard(memoryStore().collection('replay', jsonCodec<number>()), now)
  const refused: string[] = []
  const doors = new Doors({
    key: NODE,
    networkId,
    trust: () => ownersOnly(new Set([OWNER.peerId])),
    replay,
    now,
    onRefused: ({ code }) => refused.push(code)
  })
  return { doors, refused }
}

describe('threats: messages', () => {
  it('3 small and mixed-order keys: every vector gets the answer it must get, on every Node.js', () => {
    expect(vectors.vectors.filter(({ valid }) => !valid)).to.have.length.greaterThan(6)
    for (const { name, publicKey, message, signature, valid } of vectors.vectors)
      expect(verifyStrict(hex(publicKey), hex(message), hex(signature)), name).to.equal(valid)
  })

  it('5 flush of the replay cache: after 5,000 messages of one author the first is still refused, and others are not', async () => {
    const guard = new ReplayGuard(memoryStore().collection('replay', jsonCodec<number>()), now)
    const envelope = (author: Uint8Array, n: number) =>
      ({ author, nonce: bytesOf(`nonce ${n}`, 16), timestampMs: NOW_MS }) as Parameters<
        typeof guard.insert
      >[0]
    const codes = new Map<string, number>()
    for (let n = 0; n < 5_000; n++) {
      const code = await codeOfAsync(() => guard.insert(envelope(OWNER.publicKey, n)))
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }

    expect([...codes]).to.deep.equal([
      ['nothing', 4_096],
      ['TOO_MANY_REQUESTS', 904]
    ])
    expect(await codeOfAsync(() => guard.insert(envelope(OWNER.publicKey, 0)))).to.equal('REPLAYED')
    expect(await codeOfAsync(() => guard.insert(envelope(STRANGER.publicKey, 0)))).to.equal('nothing')
  })

  it('6 reuse across purposes and networks: a delete with the body of a status, and a record of another network', () => {
    const crossed = openEnvelope.bind(undefined, forgeEnvelope('delete', query()), OPTIONS)
    expect(codeOf(crossed)).to.equal('WRONG_TYPE')
    const other = openNetwork('elsewhere').id
    const record = signObject({
      kind: 'record',
      body: encodeRecord(RECORD_FIELDS),
      key: OWNER,
      networkId: other
    })
    const about = { author: OWNER.publicKey, networkId, nowMs: NOW_MS, tombstone: false }
    expect(codeOf(() => openRecord(record, about))).to.equal('SIGNATURE_INVALID')
  })

  it('10 decompression bomb: what is compressed is no message, as a frame and as a payload', () => {
    const zeros = gzipSync(new Uint8Array(10 * 1024 * 1024))
    expect(codeOf(() => openEnvelope(gzipSync(signed()), OPTIONS))).to.equal('MESSAGE_MALFORMED')
    expect(codeOf(() => openEnvelope(zeros, OPTIONS))).to.equal('MESSAGE_MALFORMED')
    expect(codeOf(() => openEnvelope(forgeEnvelope('status', gzipSync(query())), OPTIONS))).to.equal(
      'WRONG_TYPE'
    )
  })

  it('14 unauthorised owner: a stranger gets no further than the list of owners, whatever he signed', async () => {
    const { doors, refused } = createDoors()
    let served = 0
    doors.open('status', QUERY, async () => void served++)
    const { publicKey: replyKey } = await createReplyKeyPair()
    const ask = async (key: typeof OWNER, spoil = false) => {
      const payload = encodeQuery({ replyKey })
      const frame = signEnvelope({
        type: 'status',
        payload,
        key,
        networkId,
        audience: AUDIENCE,
        nowMs: NOW_MS
      })
      if (spoil) frame[Buffer.from(frame).indexOf(decode(ENVELOPE, frame).signature)]! ^= 1
      const { a, b } = channelPair()
      await a.write(frame)
      await doors.serve(b, 'status', 'somebody')
    }
    await ask(STRANGER)
    await ask(STRANGER, true) // a wrong signature is not even looked at
    expect(refused).to.deep.equal(['NOT_AUTHORISED', 'NOT_AUTHORISED'])
    await ask(OWNER, true)
    expect(refused.slice(2)).to.deep.equal(['SIGNATURE_INVALID'])
    await ask(OWNER)
    expect(served).to.equal(1)
  })

  it('24 downgrade: no cipher, no KEM, and no other signature algorithm is taken', async () => {
    const context = { owner: OWNER.publicKey, networkId, node: NODE.publicKey }
    const sealingKey = await generateSealingKey({ epoch: 1 })
    const sealedKey = {
      recipient: NODE.publicKey,
      sealingEpoch: 1,
      enc: bytesOf('enc', 1120),
      ciphertext: bytesOf('wrapped', 48)
    }
    for (const change of [{ cipher: 'none' }, { kem: 'none' }] as const) {
      const body = signObject({
        kind: 'record',
        body: encodeRecord({ ...RECORD_FIELDS, ...change }),
        key: OWNER,
        networkId
      })
      const record = openRecord(body, { author: OWNER.publicKey, networkId, nowMs: NOW_MS, tombstone: false })
      const opening = openContent.bind(
        undefined,
        record,
        { ciphertext: bytesOf('c', 1052), sealedKey },
        { ...context, sealingKey }
      )
      expect(await codeOfAsync(opening), JSON.stringify(change)).to.equal('RECORD_INVALID')
    }
    const said = encodeNodeStatement({ ...NODE_FIELDS, kem: 'none', issuedAt: NOW_MS, notAfter: NOW_MS + 1 })
    const statement = forgeObject('node', said, NODE)
    expect(codeOf(() => openNodeStatement(statement, { networkId, nowMs: NOW_MS }))).to.equal(
      'STATEMENT_INVALID'
    )
    const frame = signed()
    frame[Buffer.from(frame).indexOf('BMSH') + 5] = 2
    expect(codeOf(() => openEnvelope(frame, OPTIONS))).to.equal('ALGORITHM_UNSUPPORTED')
  })
})
