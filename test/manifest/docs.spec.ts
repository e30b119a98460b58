import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { generateManifestDocs } from '../../scripts/gen/manifests.ts'
import { MANIFEST_ERROR_CODES } from '../../src/manifest/index.ts'

describe('manifest/docs', () => {
  const docs = readFileSync(new URL('../../docs/MANIFESTS.md', import.meta.url), 'utf8')

  it('are current with the schemas', () => {
    expect(docs === generateManifestDocs(), 'run `npm run gen` and commit docs/MANIFESTS.md').to.equal(true)
  })

  it('list every error code and no other', () => {
    const listed = [...docs.matchAll(/`(MANIFEST_[A-Z_]+)`/g)].map(([, code]) => code)
    expect(new Set(listed)).to.deep.equal(new Set(MANIFEST_ERROR_CODES))
  })

  it('link only to headings that exist', () => {
    const anchors = new Set(
      [...docs.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w\- ]/g, '')
          .replaceAll(' ', '-')
      )
    )
    for (const [, anchor = ''] of docs.matchAll(/\]\(#([^)]*)\)/g))
      expect(anchors.has(anchor), anchor).to.equal(true)
  })
})
