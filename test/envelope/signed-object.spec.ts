import { expect } from 'chai'
import { decode, openObject, RECORD, SIGNED_OBJECT, signObject } from '../../src/envelope/index.ts'
import { encodeGrant, encodeSignedObject } from '../../src/generated/fbs/index.ts'
import { openNetwork } from '../../src/identity/index.ts'
import { bytesOf, codeOf, NETWORK, OWNER, RECORD_FIELDS, record, STRANGER } from './fixtures.ts'

const OPTIONS = { kind: 'record', networkId: NETWORK.id } as const
const signed = () => signObject({ kind: 'record', body: record(), key: OWNER, networkId: NETWORK.id })

describe('signed object', () => {
  it('gives back author and body', () => {
    const { author, body, digest } = openObject(signed(), OPTIONS)

    expect(author).to.deep.equal(OWNER.publicKey)
    expect(decode(RECORD, body)).to.deep.include(RECORD_FIELDS)
    expect(digest.byteLength).to.equal(32)
  })

  it('has a digest that differs by author and by body', () => {
    const digests = [
      signed(),
      signObject({ ...OPTIONS, body: record(), key: STRANGER }),
      signObject({ ...OPTIONS, body: RECORD.encode({ ...RECORD_FIELDS, version: 8 } as never), key: OWNER })
    ].map((bytes) => Buffer.from(openObject(bytes, OPTIONS).digest).toString('hex'))

    expect(new Set(digests).size).to.equal(3)
  })

  it('accepts no object in which any bit was flipped, two per byte', () => {
    const bytes = signed()
    let accepted = 0
    for (let i = 0; i < bytes.byteLength; i++) {
      for (const bit of [1 << (i % 8), 1 << ((i + 5) % 8)]) {
        const changed = Uint8Array.from(bytes)
        changed[i]! ^= bit
        if (codeOf(() => openObject(changed, OPTIONS)) === 'nothing') accepted++
      }
    }
    expect(accepted).to.equal(0)
  })

  it('refuses an object of another network', () => {
    const networkId = openNetwork('other').id

    expect(codeOf(() => openObject(signed(), { kind: 'record', networkId }))).to.equal('SIGNATURE_INVALID')
  })

  it('refuses an object of another kind', () => {
    expect(codeOf(() => openObject(signed(), { ...OPTIONS, kind: 'grant' }))).to.equal('WRONG_TYPE')
  })

  it('refuses a signature that was made for another kind', () => {
    const object = decode(SIGNED_OBJECT, signed())
    const body = encodeGrant({ subject: bytesOf('subject', 32), actions: ['member'] })
    const grant = decode(
      SIGNED_OBJECT,
      signObject({ kind: 'grant', body, key: OWNER, networkId: NETWORK.id })
    )
    const mixed = encodeSignedObject({ ...object, signature: grant.signature })

    expect(codeOf(() => openObject(mixed, OPTIONS))).to.equal('SIGNATURE_INVALID')
  })

  it('refuses an author with a weak key', () => {
    const object = decode(SIGNED_OBJECT, signed())
    const author = Uint8Array.of(1, ...new Array<number>(31).fill(0))
    const signature = Uint8Array.of(1, ...new Array<number>(63).fill(0))

    expect(codeOf(() => openObject(encodeSignedObject({ ...object, author, signature }), OPTIONS))).to.equal(
      'KEY_WEAK'
    )
  })

  it('does not sign a body of another root', () => {
    const body = encodeGrant({ subject: bytesOf('subject', 32), actions: ['member'] })

    expect(codeOf(() => signObject({ ...OPTIONS, body, key: OWNER }))).to.equal('WRONG_TYPE')
  })
})
