import { createCipheriv, createHash, hkdfSync } from 'node:crypto'
import { expect } from 'chai'
import {
  decode,
  openEnvelope,
  openObject,
  RECORD,
  signEnvelope,
  signObject
} from '../../src/envelope/index.ts'
import { encodeRecord } from '../../src/generated/fbs/index.ts'
import {
  audienceOf,
  deriveSecret,
  networkPsk,
  networkTag,
  openNetwork,
  peerIdMultihash,
  privateNetwork,
  signingKeyFromLibp2pBytes,
  signingKeyFromSeed
} from '../../src/identity/index.ts'
import { decryptManifest, encryptManifest } from '../../src/sealing/index.ts'
import { frameSealer } from '../../src/sealing/reply-channel.ts'
import apply from '../vectors/envelope-apply.json' with { type: 'json' }
import identity from '../vectors/identity-and-network.json' with { type: 'json' }
import manifest from '../vectors/manifest-encryption.json' with { type: 'json' }
import reply from '../vectors/reply-frames.json' with { type: 'json' }
import record from '../vectors/signed-record.json' with { type: 'json' }

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')
/** The formula written out once more: text stands for itself, everything else is bytes. */
const join = (...parts: ReadonlyArray<string | Uint8Array>) =>
  Buffer.concat(parts.map((part) => Buffer.from(part)))
const sha256 = (...parts: ReadonlyArray<string | Uint8Array>) =>
  createHash('sha256')
    .update(join(...parts))
    .digest('hex')
const u64 = (value: number) => {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(BigInt(value))
  return out
}

describe('golden vectors', () => {
  for (const vector of identity.keys) {
    it(`give the identity of seed ${vector.seed.slice(0, 8)}`, () => {
      const key = signingKeyFromSeed(bytes(vector.seed))

      expect(hex(key.publicKey)).to.equal(vector.publicKey)
      expect(key.peerId).to.equal(vector.peerId)
      expect(hex(peerIdMultihash(key.publicKey))).to.equal(vector.multihash)
      expect(vector.multihash).to.equal(`002408011220${vector.publicKey}`)
      expect(hex(audienceOf(key.publicKey))).to.equal(vector.audience)
      expect(sha256(bytes(vector.multihash))).to.equal(vector.audience)
      expect(hex(key.sign(bytes(vector.message)))).to.equal(vector.signature)
      expect(signingKeyFromLibp2pBytes(bytes(vector.libp2pPrivateKey)).peerId).to.equal(vector.peerId)
      expect(hex(deriveSecret(key, vector.derivedLabel))).to.equal(vector.derivedSecret)
      const derived = hkdfSync('sha256', bytes(vector.seed), '', `beemesh.v1/${vector.derivedLabel}`, 32)
      expect(hex(new Uint8Array(derived))).to.equal(vector.derivedSecret)
    })
  }

  for (const vector of identity.networks) {
    it(`give the ${vector.open ? 'open' : 'private'} network`, () => {
      const network = vector.open
        ? openNetwork(vector.name)
        : privateNetwork(vector.name, bytes(vector.secret))

      expect(hex(network.secret)).to.equal(vector.secret)
      expect(hex(network.id)).to.equal(vector.id)
      expect(networkTag(network)).to.equal(vector.tag)
      expect(hex(networkPsk(network))).to.equal(vector.psk)
      expect(
        sha256('beemesh.v1/net\0', Uint8Array.of(vector.name.length), vector.name, bytes(vector.secret))
      ).to.equal(vector.id)
      expect(sha256('beemesh.v1/psk\0', bytes(vector.secret))).to.equal(vector.psk)
      if (vector.open) expect(sha256('beemesh.v1/open-net\0', vector.name)).to.equal(vector.secret)
    })
  }

  it('give the signed record', () => {
    const key = signingKeyFromSeed(bytes(record.authorSeed))
    const networkId = bytes(record.networkId)
    const { manifestId, ciphertextDigest, keyCommitment, ...rest } = record.record
    const body = encodeRecord({
      ...rest,
      cipher: 'aes256gcm',
      kem: 'xwing',
      manifestId: bytes(manifestId),
      ciphertextDigest: bytes(ciphertextDigest),
      keyCommitment: bytes(keyCommitment)
    })

    expect(hex(body)).to.equal(record.body)
    expect(hex(signObject({ kind: 'record', body, key, networkId }))).to.equal(record.signedObject)
    const opened = openObject(bytes(record.signedObject), { kind: 'record', networkId })
    expect(hex(opened.digest)).to.equal(record.digest)
    expect(sha256('beemesh.v1/record\0', networkId, key.publicKey, body)).to.equal(record.digest)
    expect(decode(RECORD, opened.body).replicas).to.equal(record.record.replicas)
    const signature = key.sign(join('beemesh.v1/record\0', networkId, body))
    expect(record.signedObject).to.contain(hex(signature))
  })

  it('give the envelope of an apply', () => {
    const key = signingKeyFromSeed(bytes(apply.authorSeed))
    const networkId = bytes(apply.networkId)
    const audience = bytes(apply.audience)
    const payload = bytes(apply.payload)
    const envelope = signEnvelope({
      type: 'apply',
      payload,
      key,
      networkId,
      audience,
      nowMs: apply.timestampMs,
      nonce: bytes(apply.nonce)
    })

    expect(hex(envelope)).to.equal(apply.envelope)
    const opened = openEnvelope(envelope, { networkId, audience, nowMs: apply.timestampMs })
    opened.verifySignature()
    expect(hex(opened.id)).to.equal(apply.id)
    const length = Buffer.alloc(8)
    length.writeUInt32BE(payload.byteLength)
    const header = join(
      'BMSH',
      Uint8Array.of(1, 1, 1, 0),
      key.publicKey,
      networkId,
      u64(apply.timestampMs),
      bytes(apply.nonce),
      audience,
      length
    )
    expect(sha256(header, payload)).to.equal(apply.id)
    expect(apply.envelope).to.contain(hex(key.sign(join('beemesh.v1/envelope\0', header, payload))))
  })

  it('give the encrypted manifest', () => {
    const context = {
      networkId: bytes(manifest.networkId),
      owner: bytes(manifest.owner),
      manifestId: bytes(manifest.manifestId),
      version: manifest.version
    }
    const key = bytes(manifest.key)
    const nonce = bytes(manifest.nonce)
    const plaintext = bytes(manifest.plaintext)
    const result = encryptManifest({ ...context, key, nonce, plaintext })

    expect(hex(result.ciphertext)).to.equal(manifest.ciphertext)
    expect(hex(result.commitment)).to.equal(manifest.commitment)
    expect(hex(result.digest)).to.equal(manifest.digest)
    expect(decryptManifest({ ...context, ...result })).to.deep.equal(plaintext)
    expect(sha256('beemesh.v1/cek-commit\0', context.manifestId, u64(context.version), key)).to.equal(
      manifest.commitment
    )
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    const tail = Uint8Array.of(1, 1, 0, 0, 0, plaintext.byteLength)
    cipher.setAAD(
      join(
        'beemesh.v1/manifest\0',
        context.networkId,
        context.owner,
        context.manifestId,
        u64(context.version),
        tail
      )
    )
    const padded = Buffer.alloc(1024)
    padded.set(plaintext)
    expect(hex(join(nonce, cipher.update(padded), cipher.final(), cipher.getAuthTag()))).to.equal(
      manifest.ciphertext
    )
  })

  it('give the frames of an answer', () => {
    const key = bytes(reply.key)
    const requestId = bytes(reply.requestId)
    const seal = frameSealer(key, requestId)
    for (const { sequence, last, plaintext, body } of reply.frames) {
      expect(hex(seal(sequence, last, bytes(plaintext)))).to.equal(body)
      const number = Buffer.alloc(4)
      number.writeUInt32BE(sequence)
      const cipher = createCipheriv('aes-256-gcm', key, join(new Uint8Array(8), number))
      cipher.setAAD(join('beemesh.v1/reply\0', requestId, number, Uint8Array.of(last ? 1 : 0)))
      expect(hex(join(cipher.update(bytes(plaintext)), cipher.final(), cipher.getAuthTag()))).to.equal(body)
    }
  })
})
