import { createHash, createHmac } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { formatManifestId, manifestId, manifestSalt, parseManifestId } from '../../src/manifest/index.ts'
import { refusalOf } from './fixtures/manifests.ts'

const NAME = { namespace: 'default', kind: 'Deployment', name: 'web' } as const
const bytes = (value: number) => new Uint8Array(32).fill(value)
const INPUT = { ...NAME, networkId: bytes(1), owner: bytes(2), salt: bytes(3) }

describe('manifest/manifestId', () => {
  it('is a CIDv1 of the tag, network, owner, salt and name', () => {
    const hash = createHash('sha256')
    hash
      .update('beemesh.v1/manifest\0')
      .update(bytes(1))
      .update(bytes(2))
      .update(bytes(3))
      .update('default\0Deployment\0web')
    expect(Buffer.from(manifestId(INPUT)).toString('hex')).to.equal(`01551220${hash.digest('hex')}`)
  })

  it('is written as bafkrei…, the same for ever', () => {
    expect(formatManifestId(manifestId(INPUT))).to.equal(
      'bafkreif7xbkwfletp4c5gfyb67ehcypgk56o3ykeuybapdfz5a4doh56fe'
    )
  })

  it('has a salt of its own for each name, from the owner secret', () => {
    const hmac = createHmac('sha256', bytes(9))
      .update('beemesh.v1/manifest-salt\0default\0Deployment\0web')
      .digest('hex')
    expect(Buffer.from(manifestSalt(bytes(9), NAME)).toString('hex')).to.equal(hmac)
    expect(manifestSalt(bytes(9), { ...NAME, name: 'other' })).to.not.deep.equal(manifestSalt(bytes(9), NAME))
  })

  for (const [what, change] of Object.entries({
    network: { networkId: bytes(8) },
    owner: { owner: bytes(8) },
    salt: { salt: bytes(8) },
    namespace: { namespace: 'other' },
    kind: { kind: 'Pod' as const },
    name: { name: 'other' }
  }))
    it(`differs for another ${what}`, () => {
      expect(manifestId({ ...INPUT, ...change })).to.not.deep.equal(manifestId(INPUT))
    })

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (digest) => {
        const id = Uint8Array.of(1, 0x55, 0x12, 0x20, ...digest)
        expect(parseManifestId(formatManifestId(id))).to.deep.equal(id)
      }),
      { seed: 1 }
    )
  })

  it('takes no other text for a manifest ID', () => {
    const text = formatManifestId(manifestId(INPUT))
    const wrong = [
      '',
      'web',
      text.slice(1),
      text.toUpperCase(),
      `${text}a`,
      text.replace('bafk', 'bafy'),
      ` ${text}`,
      text.slice(0, -1)
    ]
    // the last character carries padding bits that must be zero
    const padded = 'abcdefghijklmnopqrstuvwxyz234567'.split('').map((last) => text.slice(0, -1) + last)
    for (const one of wrong) expect(parseManifestId(one), one).to.equal(undefined)
    expect(padded.filter((one) => parseManifestId(one) !== undefined).length).to.be.lessThan(32)
  })

  it('refuses keys of another length, and names that could run into each other', () => {
    for (const input of [
      { ...INPUT, salt: new Uint8Array(31) },
      { ...INPUT, owner: new Uint8Array(36) },
      { ...INPUT, networkId: new Uint8Array(0) },
      { ...INPUT, name: 'a\0b' },
      { ...INPUT, namespace: '' }
    ])
      expect(refusalOf(() => manifestId(input)).code).to.equal('MANIFEST_ARGUMENT')
    expect(refusalOf(() => manifestSalt(new Uint8Array(16), NAME)).code).to.equal('MANIFEST_ARGUMENT')
    expect(refusalOf(() => formatManifestId(new Uint8Array(36))).code).to.equal('MANIFEST_ARGUMENT')
  })
})
