import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import fc from 'fast-check'
import { base32 } from 'multiformats/bases/base32'
import { base36 } from 'multiformats/bases/base36'
import {
  audienceOf,
  generateSigningKey,
  peerIdFromPublicKey,
  peerIdMultihash,
  publicKeyFromPeerId
} from '../../src/identity/index.ts'
import { codeOf } from '../envelope/fixtures.ts'

describe('peer ID', () => {
  it('comes back as the key it was made of, for any 32 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        expect(publicKeyFromPeerId(peerIdFromPublicKey(key))).to.deep.equal(Uint8Array.from(key))
      }),
      { seed: 1, numRuns: 200 }
    )
  })

  it('has the bytes that libp2p gives it, in every text form', () => {
    const { publicKey, peerId } = generateSigningKey()
    const theirs = peerIdFromString(peerId)

    expect(theirs.toMultihash().bytes).to.deep.equal(peerIdMultihash(publicKey))
    const cid = theirs.toCID()
    for (const text of [peerId, cid.toString(base36), cid.toString(base32)])
      expect(publicKeyFromPeerId(text), text).to.deep.equal(publicKey)
  })

  it('has an audience of 32 bytes that differs by key', () => {
    const [a, b] = [generateSigningKey(), generateSigningKey()]

    expect(audienceOf(a.publicKey).byteLength).to.equal(32)
    expect(audienceOf(a.publicKey)).not.to.deep.equal(audienceOf(b.publicKey))
    expect(codeOf(() => audienceOf(a.publicKey.subarray(1)))).to.equal('IDENTITY_KEY_INVALID')
  })

  for (const [name, text] of [
    ['nothing', ''],
    ['a word', 'node-1'],
    ['an RSA peer ID', 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'],
    ['a secp256k1 peer ID', '16Uiu2HAm9AWkBWQHfkZzLMvnLTjPzGPBzLdHtkLmMsMFmWNCEYWR'],
    ['a letter that base58 has not', '12D3KooW0000000000000000000000000000000000000000000O'],
    ['a CID of content', 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'],
    ['a shortened one', '12D3KooWGzBXWNvHpLALvaSB7aFx6jKz6MnU9ixUUTEi6H98'],
    ['very much text', `12D3${'K'.repeat(10_000)}`]
  ] as const) {
    it(`is not ${name}`, () => {
      expect(codeOf(() => publicKeyFromPeerId(text))).to.equal('PEER_ID_INVALID')
    })
  }
})
