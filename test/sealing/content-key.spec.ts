import { expect } from 'chai'
import {
  decryptManifest,
  encryptManifest,
  generateSealingKey,
  keyCommitment,
  MAX_MANIFEST_BYTES,
  openContentKey,
  type SealingKey,
  sealContentKey
} from '../../src/sealing/index.ts'
import { bytesOf, codeOf, codeOfAsync, NETWORK, NODE, OWNER, STRANGER } from '../envelope/fixtures.ts'

const MANIFEST = {
  networkId: NETWORK.id,
  owner: OWNER.publicKey,
  manifestId: bytesOf('manifest', 36),
  version: 1_800_000_000_001
}
const PLAINTEXT = new TextEncoder().encode('{"kind":"Pod"}')
const encrypted = () => encryptManifest({ ...MANIFEST, plaintext: PLAINTEXT })

describe('manifest encryption', () => {
  for (const size of [0, 1, 1023, 1024, 1025, MAX_MANIFEST_BYTES]) {
    it(`gives back ${size} bytes, and shows only their size in KiB`, () => {
      const plaintext = bytesOf('plaintext', size)
      const result = encryptManifest({ ...MANIFEST, plaintext })

      expect(decryptManifest({ ...MANIFEST, ...result })).to.deep.equal(plaintext)
      expect(result.ciphertext.byteLength).to.equal(Math.max(1, Math.ceil(size / 1024)) * 1024 + 28)
      expect(result.plaintextBytes).to.equal(size)
    })
  }

  it('draws a new key and nonce every time', () => {
    const [a, b] = [encrypted(), encrypted()]

    expect(a.key).not.to.deep.equal(b.key)
    expect(a.ciphertext.subarray(0, 12)).not.to.deep.equal(b.ciphertext.subarray(0, 12))
  })

  it('refuses a manifest above the limit', () => {
    const plaintext = new Uint8Array(MAX_MANIFEST_BYTES + 1)

    expect(codeOf(() => encryptManifest({ ...MANIFEST, plaintext }))).to.equal('PLAINTEXT_TOO_LARGE')
  })

  const others: ReadonlyArray<readonly [string, Partial<typeof MANIFEST>]> = [
    ['network', { networkId: bytesOf('other', 32) }],
    ['owner', { owner: STRANGER.publicKey }],
    ['manifest', { manifestId: bytesOf('other', 36) }],
    ['version', { version: 2 }]
  ]
  for (const [name, change] of others) {
    it(`does not open as that of another ${name}, even when the commitment fits`, () => {
      const result = encrypted()
      const context = { ...MANIFEST, ...change }
      const commitment = keyCommitment(context, result.key)

      expect(codeOf(() => decryptManifest({ ...context, ...result, commitment }))).to.equal(
        'CIPHERTEXT_INVALID'
      )
    })
  }

  it('refuses a ciphertext the record does not name', () => {
    const result = encrypted()
    result.ciphertext[20]! ^= 1

    expect(codeOf(() => decryptManifest({ ...MANIFEST, ...result }))).to.equal('CIPHERTEXT_DIGEST_MISMATCH')
  })

  it('refuses a key that the owner did not commit to', () => {
    const result = encrypted()

    expect(codeOf(() => decryptManifest({ ...MANIFEST, ...result, key: bytesOf('other', 32) }))).to.equal(
      'KEY_COMMITMENT_MISMATCH'
    )
    expect(codeOf(() => decryptManifest({ ...MANIFEST, ...result, commitment: bytesOf('c', 32) }))).to.equal(
      'KEY_COMMITMENT_MISMATCH'
    )
  })

  it('refuses a length that is not the one that was encrypted', () => {
    for (const plaintextBytes of [0, 13, 15, 1025, 2 ** 31])
      expect(
        codeOf(() => decryptManifest({ ...MANIFEST, ...encrypted(), plaintextBytes })),
        `${plaintextBytes}`
      ).to.equal('CIPHERTEXT_INVALID')
  })
})

describe('content key', () => {
  let node: SealingKey
  before(async () => {
    node = await generateSealingKey({ epoch: 3 })
  })
  const seal = (result = encrypted()) =>
    sealContentKey({
      ...MANIFEST,
      ...result,
      recipient: NODE.publicKey,
      sealingPublicKey: node.publicKey
    }).then((sealed) => ({ result, sealed }))

  it('reaches the node it was sealed to', async () => {
    const { result, sealed } = await seal()
    const key = await openContentKey({
      ...MANIFEST,
      ...sealed,
      commitment: result.commitment,
      recipient: NODE.publicKey,
      sealingKey: node
    })

    expect(key).to.deep.equal(result.key)
    expect([sealed.enc.byteLength, sealed.ciphertext.byteLength]).to.deep.equal([1120, 48])
  })

  it('does not open for another node, network, owner, manifest, version or commitment', async () => {
    const { result, sealed } = await seal()
    const good = {
      ...MANIFEST,
      ...sealed,
      commitment: result.commitment,
      recipient: NODE.publicKey,
      sealingKey: node
    }
    const changes: ReadonlyArray<Partial<typeof good>> = [
      { recipient: STRANGER.publicKey },
      { networkId: bytesOf('other', 32) },
      { owner: STRANGER.publicKey },
      { manifestId: bytesOf('other', 36) },
      { version: 2 },
      { commitment: bytesOf('other', 32) },
      { sealingKey: await generateSealingKey({ epoch: 3 }) },
      { enc: new Uint8Array(1120) },
      { enc: sealed.enc.subarray(1) },
      { ciphertext: Uint8Array.from(sealed.ciphertext, (byte, i) => (i === 47 ? byte ^ 1 : byte)) },
      { ciphertext: new Uint8Array(0) }
    ]
    for (const change of changes)
      expect(
        await codeOfAsync(() => openContentKey({ ...good, ...change })),
        Object.keys(change)[0]
      ).to.equal('OPEN_FAILED')
    expect(await codeOfAsync(() => openContentKey(good))).to.equal('nothing')
  })

  it('is refused when the owner sealed another key than it committed to', async () => {
    const result = encrypted()
    const { sealed } = await seal({ ...result, key: bytesOf('other key', 32) })
    const options = {
      ...MANIFEST,
      ...sealed,
      commitment: result.commitment,
      recipient: NODE.publicKey,
      sealingKey: node
    }

    expect(await codeOfAsync(() => openContentKey(options))).to.equal('KEY_COMMITMENT_MISMATCH')
  })
})
