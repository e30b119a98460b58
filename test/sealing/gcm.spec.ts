import { createDecipheriv } from 'node:crypto'
import { expect } from 'chai'
import { gcmDecrypt, gcmEncrypt } from '../../src/sealing/gcm.ts'
import { bytesOf } from '../envelope/fixtures.ts'

const INPUT = { key: bytesOf('key', 32), nonce: bytesOf('nonce', 12), aad: bytesOf('aad', 20) }
const PLAINTEXT = bytesOf('plaintext', 100)

describe('AES-256-GCM', () => {
  it('gives back what was encrypted', () => {
    expect(gcmDecrypt(INPUT, gcmEncrypt(INPUT, PLAINTEXT))).to.deep.equal(PLAINTEXT)
  })

  it('refuses a tag cut to 4 bytes, which Node alone would accept', () => {
    const sealed = gcmEncrypt(INPUT, PLAINTEXT)
    // given a forger who needs only 4 bytes to be right
    const short = sealed.subarray(0, 104)
    const lenient = createDecipheriv('aes-256-gcm', INPUT.key, INPUT.nonce, { authTagLength: 4 })
    lenient.setAAD(INPUT.aad)
    lenient.setAuthTag(short.subarray(100))
    const accepted = Buffer.concat([lenient.update(short.subarray(0, 100)), lenient.final()])

    expect(new Uint8Array(accepted)).to.deep.equal(PLAINTEXT)
    expect(gcmDecrypt(INPUT, short)).to.equal(undefined)
  })

  it('refuses any flipped bit of ciphertext or tag, and every prefix', () => {
    const sealed = gcmEncrypt(INPUT, PLAINTEXT)
    for (let i = 0; i < sealed.byteLength; i++) {
      const changed = Uint8Array.from(sealed)
      changed[i]! ^= 1 << (i % 8)
      expect(gcmDecrypt(INPUT, changed)).to.equal(undefined)
      expect(gcmDecrypt(INPUT, sealed.subarray(0, i))).to.equal(undefined)
    }
  })

  it('refuses another key, nonce or associated data', () => {
    const sealed = gcmEncrypt(INPUT, PLAINTEXT)
    for (const change of [{ key: bytesOf('x', 32) }, { nonce: bytesOf('x', 12) }, { aad: bytesOf('x', 20) }])
      expect(gcmDecrypt({ ...INPUT, ...change }, sealed)).to.equal(undefined)
  })
})
