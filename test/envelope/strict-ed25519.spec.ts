import { expect } from 'chai'
import { isStrongKey, verifyStrict } from '../../src/envelope/index.ts'
import { KEY_CACHE_SIZE } from '../../src/envelope/strict-ed25519.ts'
import vectors from '../vectors/ed25519-strictness.json' with { type: 'json' }
import { bytesOf, OWNER } from './fixtures.ts'

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

describe('strict Ed25519', () => {
  for (const { name, publicKey, message, signature, valid } of vectors.vectors) {
    it(`${valid ? 'accepts' : 'refuses'} ${name}`, () => {
      expect(verifyStrict(hex(publicKey), hex(message), hex(signature))).to.equal(valid)
    })
  }

  it('refuses wrong lengths instead of throwing', () => {
    const message = bytesOf('message', 10)

    expect(verifyStrict(OWNER.publicKey, message, OWNER.sign(message).subarray(1))).to.equal(false)
    expect(verifyStrict(OWNER.publicKey.subarray(1), message, OWNER.sign(message))).to.equal(false)
    expect(verifyStrict(bytesOf('not a point', 32), message, OWNER.sign(message))).to.equal(false)
  })

  it('gives the same answer when a key has been pushed out of the cache', () => {
    const message = bytesOf('message', 10)
    const weak = Uint8Array.of(1, ...new Array<number>(31).fill(0))
    expect(isStrongKey(weak)).to.equal(false)
    for (let i = 0; i <= KEY_CACHE_SIZE; i++)
      isStrongKey(Uint8Array.of(...new Array<number>(28).fill(0xff), i >> 8, i, 0, 0xff))

    expect(isStrongKey(weak)).to.equal(false)
    expect(verifyStrict(OWNER.publicKey, message, OWNER.sign(message))).to.equal(true)
  })
})
