import { createHash } from 'node:crypto'
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core'
import { XWing } from '@hpke/hybridkem-x-wing'
import { expect } from 'chai'
import { hasNativeXWing, openWith, sealingKeyFromSeed, sealTo } from '../../src/sealing/index.ts'
import { NativeXWing, nativePublicKey } from '../../src/sealing/native-x-wing.ts'
import { bytesOf } from '../envelope/fixtures.ts'
import vector from '../vectors/x-wing.json' with { type: 'json' }

const hex = (bytes: ArrayBuffer | Uint8Array) =>
  Buffer.from(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes).toString('hex')
const fromHex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const suiteOf = (kem: XWing | NativeXWing) =>
  new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() })

const MESSAGE = { info: bytesOf('info', 40), aad: bytesOf('aad', 30), plaintext: bytesOf('plaintext', 32) }
const buffer = (bytes: Uint8Array) => Uint8Array.from(bytes).buffer

describe('X-Wing in JavaScript', () => {
  it('gives the shared secret of the draft', async () => {
    const kem = new XWing()
    const { publicKey } = await kem.generateKeyPairDerand(fromHex(vector.seed))
    const { sharedSecret } = await kem.encap({
      recipientPublicKey: publicKey,
      ekm: buffer(fromHex(vector.encapsulationSeed))
    })

    expect(hex(sharedSecret)).to.equal(vector.sharedSecret)
  })

  it('has the public key of the vector', async () => {
    const kem = new XWing()
    const { publicKey } = await kem.generateKeyPairDerand(fromHex(vector.seed))
    const raw = new Uint8Array(await kem.serializePublicKey(publicKey))

    expect(createHash('sha256').update(raw).digest('hex')).to.equal(vector.publicKeySha256)
  })
})

describe('X-Wing on node:crypto', () => {
  before(function () {
    if (hasNativeXWing()) return
    console.warn(`SKIPPED: Node ${process.version} has no ML-KEM; here X-Wing runs in JavaScript only`)
    this.skip()
  })

  it('opens the encapsulation of the draft to the same shared secret', async () => {
    const javascript = new XWing()
    const pair = await javascript.generateKeyPairDerand(fromHex(vector.seed))
    const { enc } = await javascript.encap({
      recipientPublicKey: pair.publicKey,
      ekm: buffer(fromHex(vector.encapsulationSeed))
    })

    const native = new NativeXWing()
    const recipientKey = await native.deserializePrivateKey(fromHex(vector.seed))
    expect(hex(await native.decap({ recipientKey, enc }))).to.equal(vector.sharedSecret)
    expect(
      createHash('sha256')
        .update(nativePublicKey(fromHex(vector.seed)))
        .digest('hex')
    ).to.equal(vector.publicKeySha256)
  })

  for (const [from, to] of [
    ['native', 'javascript'],
    ['javascript', 'native'],
    ['native', 'native']
  ] as const) {
    it(`seals in ${from} what opens in ${to}`, async () => {
      const kems = { native: new NativeXWing(), javascript: new XWing() }
      const seed = bytesOf('seed', 32)
      const { info, aad, plaintext } = MESSAGE
      const recipientPublicKey = await kems[from].deserializePublicKey(nativePublicKey(seed))
      const recipientKey = await kems[to].deserializePrivateKey(buffer(seed))

      const { ct, enc } = await suiteOf(kems[from]).seal(
        { recipientPublicKey, info: buffer(info) },
        buffer(plaintext),
        buffer(aad)
      )
      const opened = await suiteOf(kems[to]).open({ recipientKey, enc, info: buffer(info) }, ct, buffer(aad))

      expect(new Uint8Array(opened)).to.deep.equal(plaintext)
    })
  }

  it('derives the same pair from the same keying material as JavaScript does', async () => {
    const [native, javascript] = [new NativeXWing(), new XWing()]
    const ikm = buffer(bytesOf('ikm', 32))
    const ours = await native.deriveKeyPair(ikm)
    const theirs = await javascript.deriveKeyPair(ikm)

    expect(hex(await native.serializePublicKey(ours.publicKey))).to.equal(
      hex(await javascript.serializePublicKey(theirs.publicKey))
    )
  })

  it('is what sealTo and openWith speak: JavaScript opens it', async () => {
    const seed = bytesOf('seed', 32)
    const key = await sealingKeyFromSeed(seed, { epoch: 1 })
    const { enc, ciphertext } = await sealTo(key.publicKey, MESSAGE)

    const kem = new XWing()
    const recipientKey = await kem.deserializePrivateKey(buffer(seed))
    const opened = await suiteOf(kem).open(
      { recipientKey, enc: buffer(enc), info: buffer(MESSAGE.info) },
      buffer(ciphertext),
      buffer(MESSAGE.aad)
    )
    expect(new Uint8Array(opened)).to.deep.equal(MESSAGE.plaintext)
    expect(await openWith(key, { ...MESSAGE, enc, ciphertext })).to.deep.equal(MESSAGE.plaintext)
  })
})
