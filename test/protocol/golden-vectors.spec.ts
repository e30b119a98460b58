/** test/vectors read by the client of ./independent: what another implementation would do first. */
import { hkdfSync, sign, verify } from 'node:crypto'
import { expect } from 'chai'
import apply from '../vectors/envelope-apply.json' with { type: 'json' }
import forward from '../vectors/forward.json' with { type: 'json' }
import identity from '../vectors/identity-and-network.json' with { type: 'json' }
import jobFacts from '../vectors/job-facts.json' with { type: 'json' }
import manifestEncryption from '../vectors/manifest-encryption.json' with { type: 'json' }
import manifestId from '../vectors/manifest-id.json' with { type: 'json' }
import replyFrames from '../vectors/reply-frames.json' with { type: 'json' }
import record from '../vectors/signed-record.json' with { type: 'json' }
import statements from '../vectors/signed-statements.json' with { type: 'json' }
import status from '../vectors/status-answer.json' with { type: 'json' }
import xWing from '../vectors/x-wing.json' with { type: 'json' }
import { envelopeFrame, Owner, objectFrame } from './independent/client.ts'
import {
  audience,
  gcmOpen,
  hasMlKem,
  multihash,
  publicKey,
  rawPublic,
  secretKey,
  sha256,
  u32be,
  u64be,
  xWingKey
} from './independent/crypto.ts'
import { join, Table } from './independent/flatbuffer.ts'

const bytes = (hex: string) => Buffer.from(hex, 'hex')
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')

function needsMlKem(context: Mocha.Context): void {
  if (hasMlKem) return
  console.warn('SKIPPED: X-Wing by hand needs the ML-KEM of Node 24, this is', process.version)
  context.skip()
}

describe('golden vectors, read by the client written from docs/PROTOCOL.md', () => {
  for (const one of identity.networks)
    it(`gives ID, tag and PSK of the ${one.open ? 'open' : 'private'} network`, () => {
      const secret = one.open ? sha256('beemesh.v1/open-net\0', one.name) : bytes(one.secret)
      const id = sha256('beemesh.v1/net\0', Uint8Array.of(one.name.length), one.name, secret)

      expect(hex(secret)).to.equal(one.secret)
      expect(hex(id)).to.equal(one.id)
      expect(hex(id).slice(0, 16)).to.equal(one.tag)
      expect(hex(sha256('beemesh.v1/psk\0', secret))).to.equal(one.psk)
    })

  for (const one of identity.keys)
    it('gives public key, multihash, audience and signature of an identity', () => {
      const key = secretKey('ed25519', bytes(one.seed))
      const raw = rawPublic(key, 32)

      expect(hex(raw)).to.equal(one.publicKey)
      expect(hex(multihash(raw))).to.equal(one.multihash)
      expect(hex(audience(raw))).to.equal(one.audience)
      expect(hex(sign(null, bytes(one.message), key))).to.equal(one.signature)
      expect(hex(join(bytes('08011240'), bytes(one.seed), raw))).to.equal(one.libp2pPrivateKey)
    })

  it('gives salt and manifest ID of a name', () => {
    const owner = new Owner(bytes(manifestId.ownerSeed), bytes(manifestId.networkId))
    const { namespace, kind, name } = manifestId

    const { salt, id } = owner.manifestId(namespace, kind, name)

    expect(hex(salt)).to.equal(manifestId.salt)
    expect(hex(id)).to.equal(manifestId.manifestId)
  })

  for (const one of [
    { ...record, kind: 'record' as const },
    ...[...statements.statements, jobFacts.record, jobFacts.fact].map((vector) => ({
      ...vector,
      networkId: statements.networkId
    }))
  ])
    it(`gives the signed ${one.kind} and its digest`, () => {
      const owner = new Owner(bytes(one.authorSeed), bytes(one.networkId))
      const body = bytes(one.body)
      const kind = one.kind as 'record' | 'grant' | 'node' | 'provider' | 'done'

      expect(hex(owner.sign(kind, body))).to.equal(one.signedObject)
      const digest = sha256(`beemesh.v1/${kind}\0`, bytes(one.networkId), owner.publicKey, body)
      expect(hex(digest)).to.equal(one.digest)
    })

  it('carries the grant in the node statement, and both verify', () => {
    const [grant, node] = statements.statements.map(({ signedObject }) => signedObject)

    expect(node).to.contain(grant)
    const object = Table.root(bytes(node!), 'BMSO')
    const signed = join('beemesh.v1/node\0', bytes(statements.networkId), object.bytes(2))
    expect(verify(null, signed, publicKey('ed25519', object.bytes(1)), object.bytes(3))).to.equal(true)
    expect(objectFrame(object.number(0, 1), object.bytes(1), object.bytes(2), object.bytes(3))).to.deep.equal(
      bytes(node!)
    )
    expect(Table.root(object.bytes(2), 'BMND').text(0)).to.equal('kestrel')
  })

  it('gives the key of what is done from the content key, and its proof in the fact', () => {
    const one = jobFacts
    const info = join('beemesh.v1/facts-key\0', bytes(one.manifestId), u64be(one.version))
    const seed = Buffer.from(hkdfSync('sha256', bytes(one.contentKey), '', info, 32))
    const key = secretKey('ed25519', seed)
    const author = rawPublic(secretKey('ed25519', bytes(one.fact.authorSeed)), 32)
    const proven = Table.root(bytes(one.fact.body), 'BMDP')

    expect(hex(rawPublic(key, 32))).to.equal(one.factsKey)
    expect(hex(Table.root(bytes(one.record.body), 'BMRC').bytes(26))).to.equal(one.factsKey)
    const signed = join('beemesh.v1/done-proof\0', bytes(one.networkId), author, bytes(one.statement))
    expect(hex(sign(null, signed, key))).to.equal(one.proof)
    expect([proven.bytes(0), proven.bytes(1)].map(hex)).to.deep.equal([one.statement, one.proof])
    expect(hex(Table.root(bytes(one.statement), 'BMDN').bytes(0))).to.equal(one.manifestId)
  })

  it('gives request ID and frame of the apply envelope', () => {
    const outer = Table.root(bytes(apply.envelope), 'BMEV')
    const [header, payload, signature] = [outer.bytes(0), outer.bytes(1), outer.bytes(2)]

    expect(hex(sha256(header, payload))).to.equal(apply.id)
    expect(hex(envelopeFrame(header, payload, signature))).to.equal(apply.envelope)
    expect(hex(header.subarray(96, 128))).to.equal(apply.audience)
  })

  it('decrypts the manifest', () => {
    const one = manifestEncryption
    const version = u64be(one.version)
    const place = join(bytes(one.networkId), bytes(one.owner), bytes(one.manifestId), version)
    const aad = join('beemesh.v1/manifest\0', place, Uint8Array.of(1, 1), u32be(one.plaintextBytes))
    const blob = bytes(one.ciphertext)

    const padded = gcmOpen({ key: bytes(one.key), nonce: blob.subarray(0, 12), aad }, blob.subarray(12))

    expect(padded.length).to.equal(1024)
    expect(hex(padded.subarray(0, one.plaintextBytes))).to.equal(one.plaintext)
    expect(hex(sha256(blob))).to.equal(one.digest)
    const commitment = sha256('beemesh.v1/cek-commit\0', bytes(one.manifestId), version, bytes(one.key))
    expect(hex(commitment)).to.equal(one.commitment)
  })

  for (const frame of replyFrames.frames)
    it(`opens frame ${frame.sequence} of an answer whose key is known`, () => {
      const sequence = u32be(frame.sequence)
      const aad = join(
        'beemesh.v1/reply\0',
        bytes(replyFrames.requestId),
        sequence,
        Uint8Array.of(Number(frame.last))
      )

      const gcm = { key: bytes(replyFrames.key), nonce: join(Buffer.alloc(8), sequence), aad }

      expect(hex(gcmOpen(gcm, bytes(frame.body)))).to.equal(frame.plaintext)
    })

  it('gives the X-Wing public key of the draft', function () {
    needsMlKem(this)
    expect(hex(sha256(xWingKey(bytes(xWing.seed)).publicKey))).to.equal(xWing.publicKeySha256)
  })

  it('opens the sealed answer to a status request', function () {
    needsMlKem(this)
    const owner = new Owner(bytes(status.ownerSeed), bytes(status.networkId))
    const target = rawPublic(secretKey('ed25519', bytes(status.nodeSeed)), 32)
    const asked = { id: bytes(status.requestId), nonce: bytes(status.nonce), target }

    const read = owner.reader(asked, xWingKey(bytes(status.replyKeySeed)))

    const bodies = status.frames.map(({ envelope }) => read(bytes(envelope)))
    expect(bodies.map(({ body }) => hex(body))).to.deep.equal(status.frames.map(({ body }) => body))
    expect(bodies.map(({ last }) => last)).to.deep.equal([false, true])
    expect(Table.root(bodies[0]!.body, 'BMST').text(0)).to.equal('kestrel')
  })

  it('reads the forward frame', () => {
    const frame = Table.root(bytes(forward.frame), 'BMFW')

    expect(hex(frame.bytes(0))).to.equal(forward.target)
    expect(frame.text(2)).to.equal(forward.protocol)
    expect(hex(frame.bytes(3))).to.equal(forward.envelope)
    expect(forward.envelope).to.equal(status.request)
  })
})
