import { expect } from 'chai'
import fc from 'fast-check'
import { DNS_LABEL_PATTERN, workloadName } from '../../src/manifest/index.ts'
import { refusalOf } from './fixtures/manifests.ts'

const INPUT = {
  name: 'web',
  manifestId: new Uint8Array(36),
  version: 7n,
  ordinal: 0,
  node: Uint8Array.of(1, 2, 3)
}

describe('manifest/workloadName', () => {
  it('begins with the name and stays the same for the same copy', () => {
    expect(workloadName(INPUT)).to.match(/^web-[0-9a-f]{10}$/)
    expect(workloadName(INPUT)).to.equal(workloadName({ ...INPUT, version: 7 }))
  })

  it('differs for another manifest, version, copy or node', () => {
    const names = [
      {},
      { manifestId: new Uint8Array(36).fill(1) },
      { version: 8n },
      { ordinal: 1 },
      { node: Uint8Array.of(9) }
    ].map((change) => workloadName({ ...INPUT, ...change }))
    expect(new Set(names).size).to.equal(names.length)
  })

  it('is a DNS label of at most 63 characters for every name', () => {
    fc.assert(
      fc.property(fc.stringMatching(DNS_LABEL_PATTERN), fc.nat(), (name, ordinal) => {
        expect(workloadName({ ...INPUT, name, ordinal })).to.match(DNS_LABEL_PATTERN)
      }),
      { seed: 1 }
    )
    expect(workloadName({ ...INPUT, name: `${'a'.repeat(50)}--${'b'.repeat(11)}` })).to.match(
      DNS_LABEL_PATTERN
    )
  })

  it('refuses an ordinal or a version that is no whole number from 0', () => {
    for (const change of [
      { ordinal: -1 },
      { ordinal: 0.5 },
      { version: -1n },
      { version: 2n ** 64n },
      { version: 1.5 }
    ])
      expect(refusalOf(() => workloadName({ ...INPUT, ...change })).code).to.equal('MANIFEST_ARGUMENT')
  })
})
