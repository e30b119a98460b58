/** The client of ./independent, written from docs/PROTOCOL.md alone, against what src does. */

import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { expect } from 'chai'
import { decode, FORWARD, openEnvelope, QUERY } from '../../src/envelope/index.ts'
import { encodeEnvelope, encodeSignedObject, encodeStatusReply } from '../../src/generated/fbs/index.ts'
import { audienceOf, openNetwork, signingKeyFromSeed } from '../../src/identity/index.ts'
import { generateSealingKey } from '../../src/sealing/index.ts'
import { jsonCodec, memoryStore } from '../../src/store/index.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import { Forwarder } from '../../src/wire/doors/forward.ts'
import { Doors, LocalSocket, ReplayGuard } from '../../src/wire/index.ts'
import { openContent, openRecord } from '../../src/workloads/open-record.ts'
import { envelopeFrame, exchange, Owner, objectFrame } from './independent/client.ts'
import { hasMlKem, xWingKey } from './independent/crypto.ts'
import { pack, Table } from './independent/flatbuffer.ts'

const network = openNetwork('protocol')
const seed = createHash('sha256').update('independent owner').digest()
const node = signingKeyFromSeed(createHash('sha256').update('node').digest())
const owner = new Owner(seed, network.id)
const FRAMES = 20

function query(replyKey: Uint8Array): Buffer {
  return pack('BMQY', [{ tables: [] }, { bytes: replyKey }])
}

describe('a client written from docs/PROTOCOL.md', () => {
  for (const size of [16, 17, 18, 19, 4000])
    it(`builds the outer frames byte for byte around ${size} bytes`, () => {
      const [header, payload, signature] = [randomBytes(136), randomBytes(size), randomBytes(64)]
      const author = randomBytes(32)

      const envelope = encodeEnvelope({ header, payload, signature })
      const object = encodeSignedObject({ kind: 'node', author, body: payload, signature })

      expect(envelopeFrame(header, payload, signature)).to.deep.equal(Buffer.from(envelope))
      expect(objectFrame(3, author, payload, signature)).to.deep.equal(Buffer.from(object))
    })

  it('signs a status request that a node accepts', () => {
    const nowMs = Date.now()
    const asked = owner.ask('status', query(randomBytes(1216)), { target: node.publicKey, nowMs })

    const opened = openEnvelope(asked.envelope, {
      networkId: network.id,
      nowMs,
      audience: audienceOf(node.publicKey)
    })

    opened.verifySignature()
    expect(opened.type).to.equal('status')
    expect(opened.decodePayload(QUERY)).to.include({ tail: -1, follow: false })
    expect(Buffer.from(opened.id)).to.deep.equal(asked.id)
  })

  describe('through the Unix socket of a node', () => {
    let folder: string
    let socket: LocalSocket
    let doors: Doors

    beforeEach(async function () {
      if (!hasMlKem) {
        console.warn('SKIPPED: X-Wing by hand needs the ML-KEM of Node 24, this is', process.version)
        this.skip()
      }
      folder = mkdtempSync(joinPath(tmpdir(), 'beemesh-protocol-'))
      const replay = new ReplayGuard(memoryStore().collection('replay', jsonCodec<number>()))
      const owners = new Set([signingKeyFromSeed(seed).peerId])
      doors = new Doors({ key: node, networkId: network.id, trust: () => ownersOnly(owners), replay })
      doors.open('status', QUERY, async ({ reply }) => {
        for (let i = 0; i < FRAMES; i++)
          await reply.send(encodeStatusReply({ nodeName: `n${i}` }), { last: i === FRAMES - 1 })
      })
      const openStream = () => Promise.reject(new Error('nowhere'))
      const forwarder = new Forwarder({ key: node, networkId: network.id, doors, openStream })
      socket = new LocalSocket(joinPath(folder, 'node.sock'), (channel, protocol) =>
        protocol === 'forward' ? forwarder.serve(channel, 'local') : doors.serve(channel, protocol, 'local')
      )
      await socket.start()
    })

    afterEach(async () => {
      if (socket === undefined) return
      doors.close()
      await socket.stop()
      rmSync(folder, { recursive: true })
    })

    /** Asks for the status of `target`, by `asker`, and reads the whole answer. */
    async function ask(asker: Owner, target: Uint8Array, forwarded: boolean) {
      const key = xWingKey(randomBytes(32))
      const asked = asker.ask('status', query(key.publicKey), { target, nowMs: Date.now() })
      const addresses = { texts: ['/ip4/192.0.2.7/tcp/4001'] }
      const forward = pack('BMFW', [
        { bytes: target },
        addresses,
        { text: 'status' },
        { bytes: asked.envelope }
      ])
      const read = asker.reader(forwarded ? { ...asked, target: node.publicKey } : asked, key)
      const frame = forwarded ? forward : asked.envelope
      const answer: ReturnType<typeof read>[] = []
      for await (const bytes of exchange(socket.path, forwarded ? 'forward' : 'status', frame))
        answer.push(read(bytes))
      return answer
    }

    it('reads a sealed answer of more frames than the credit', async () => {
      const answer = await ask(owner, node.publicKey, false)

      expect(answer.map(({ last }) => last).indexOf(true)).to.equal(FRAMES - 1)
      expect(answer.every(({ sealed }) => sealed)).to.equal(true)
      const names = answer.map(({ body }) => Table.root(body, 'BMST').text(0))
      expect(names).to.deep.equal(Array.from({ length: FRAMES }, (_, i) => `n${i}`))
    })

    it('reads the same when the entry node is itself the target of a forward', async () => {
      expect(await ask(owner, node.publicKey, true)).to.have.length(FRAMES)
    })

    it('reads a clear refusal by the entry node when the target cannot be reached', async () => {
      const elsewhere = signingKeyFromSeed(randomBytes(32)).publicKey

      const [refusal, ...more] = await ask(owner, elsewhere, true)

      expect(more).to.deep.equal([])
      expect(refusal).to.include({ sealed: false, last: true })
      const error = Table.root(refusal!.body, 'BMER')
      expect(error.text(0)).to.equal('NODE_UNREACHABLE')
      expect(error.number(4, 1)).to.equal(1)
    })

    it('reads why a stranger is refused', async () => {
      const [refusal] = await ask(new Owner(randomBytes(32), network.id), node.publicKey, false)

      expect(refusal).to.include({ sealed: false, last: true })
      expect(Table.root(refusal!.body, 'BMER').text(0)).to.equal('NOT_AUTHORISED')
    })
  })

  it('writes forward frames that a node reads', () => {
    const frame = pack('BMFW', [
      { bytes: node.publicKey },
      undefined,
      { text: 'logs' },
      { bytes: randomBytes(300) }
    ])

    const read = decode(FORWARD, frame)

    expect(read).to.include({ protocol: 'logs' })
    expect(read.target).to.deep.equal(node.publicKey)
  })

  it('seals a manifest that a node opens and finds canonical', async function () {
    if (!hasMlKem) {
      console.warn('SKIPPED: X-Wing by hand needs the ML-KEM of Node 24, this is', process.version)
      this.skip()
    }
    const sealingKey = await generateSealingKey({ epoch: 1 })
    const { id, salt } = owner.manifestId('default', 'Pod', 'web')
    const pod =
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"default"},' +
      '"spec":{"containers":[{"image":"nginx:1","name":"web","resources":{"limits":{"cpu":"250m","memory":"64Mi"}}}]}}'
    const document =
      `{"kind":"Pod","name":"web","namespace":"default","objects":[${pod}],` +
      `"salt":"${salt.toString('base64')}","v":1}`
    const about = {
      id,
      version: 7,
      nowMs: Date.now(),
      node: node.publicKey,
      sealingKey: sealingKey.publicKey
    }
    const promised = { replicas: 1, cpuMillis: 250, memoryBytes: 67_108_864 }

    const { record, ciphertext, sealed } = owner.sealDocument(Buffer.from(document), {
      ...about,
      ...promised
    })

    const context = { networkId: network.id, nowMs: Date.now() }
    const opened = openRecord(record, { ...context, author: owner.publicKey, tombstone: false })
    const { manifest } = await openContent(
      opened,
      { ciphertext, sealedKey: { ...sealed, recipient: node.publicKey, sealingEpoch: 1 } },
      { owner: owner.publicKey, networkId: network.id, node: node.publicKey, sealingKey }
    )
    expect(manifest).to.include({ kind: 'Pod', name: 'web', replicas: 1 })
    expect(Buffer.from(opened.manifestId)).to.deep.equal(id)
  })
})
