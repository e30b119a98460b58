import { expect } from 'chai'
import {
  destroySealingKey,
  generateSealingKey,
  openWith,
  type SealingKey,
  sealTo
} from '../../src/sealing/index.ts'
import { bytesOf, codeOfAsync } from '../envelope/fixtures.ts'

const MESSAGE = { info: bytesOf('info', 40), aad: bytesOf('aad', 30), plaintext: bytesOf('plaintext', 32) }

describe('sealing to a key', () => {
  let key: SealingKey
  before(async () => {
    key = await generateSealingKey({ epoch: 1 })
  })

  it('opens with the key, info and associated data it was sealed with, and no other', async () => {
    const sealed = await sealTo(key.publicKey, MESSAGE)
    const good = { ...MESSAGE, ...sealed }
    const other = await generateSealingKey({ epoch: 1 })

    expect(await openWith(key, good)).to.deep.equal(MESSAGE.plaintext)
    expect(await codeOfAsync(() => openWith(other, good))).to.equal('OPEN_FAILED')
    expect(await codeOfAsync(() => openWith(key, { ...good, info: bytesOf('x', 40) }))).to.equal(
      'OPEN_FAILED'
    )
    expect(await codeOfAsync(() => openWith(key, { ...good, aad: bytesOf('x', 30) }))).to.equal('OPEN_FAILED')
  })

  it('opens nothing whose encapsulation or ciphertext was changed', async () => {
    const sealed = await sealTo(key.publicKey, MESSAGE)
    for (const at of [0, 500, 1087, 1088, 1119]) {
      const enc = Uint8Array.from(sealed.enc)
      enc[at]! ^= 1
      expect(await codeOfAsync(() => openWith(key, { ...MESSAGE, ...sealed, enc })), `enc ${at}`).to.equal(
        'OPEN_FAILED'
      )
    }
    for (let at = 0; at < sealed.ciphertext.byteLength; at++) {
      const ciphertext = Uint8Array.from(sealed.ciphertext)
      ciphertext[at]! ^= 0x80
      expect(await codeOfAsync(() => openWith(key, { ...MESSAGE, ...sealed, ciphertext }))).to.equal(
        'OPEN_FAILED'
      )
    }
  })

  it('works on slices of a pool as on buffers of their own', async () => {
    const pool = Buffer.concat([Buffer.alloc(7), key.publicKey, MESSAGE.info, MESSAGE.aad, MESSAGE.plaintext])
    const info = pool.subarray(1223, 1263)
    const aad = pool.subarray(1263, 1293)
    const sealed = await sealTo(pool.subarray(7, 1223), { info, aad, plaintext: pool.subarray(1293) })

    expect(await openWith(key, { ...MESSAGE, ...sealed })).to.deep.equal(MESSAGE.plaintext)
  })

  it('refuses keys that are none', async () => {
    expect(await codeOfAsync(() => sealTo(key.publicKey.subarray(1), MESSAGE))).to.equal(
      'SEALING_KEY_INVALID'
    )
    expect(await codeOfAsync(() => sealTo(new Uint8Array(1216).fill(0xff), MESSAGE))).to.equal(
      'SEALING_KEY_INVALID'
    )
  })

  it('opens nothing once the key was destroyed', async () => {
    const old = await generateSealingKey({ epoch: 1 })
    const sealed = await sealTo(old.publicKey, MESSAGE)
    destroySealingKey(old)

    expect(await codeOfAsync(() => openWith(old, { ...MESSAGE, ...sealed }))).to.equal('SEALING_KEY_INVALID')
  })
})
