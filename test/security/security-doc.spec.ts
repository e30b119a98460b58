import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'chai'

const ROOT = new URL('../../', import.meta.url)
const doc = readFileSync(new URL('docs/SECURITY.md', ROOT), 'utf8')
const rows = doc.split('\n').flatMap((line) => {
  const match = /^\| (\d+) \| (.+) \|$/.exec(line)
  return match === null ? [] : [{ number: Number(match[1]), cells: match[2]!.split(' | ') }]
})

/** `test/file.spec.ts`: "a name", "another" */
const REFERENCE = /`(test\/[\w./-]+)`: ("[^"]+"(?:, "[^"]+")*)/g

function referencesIn(text: string): { readonly file: string; readonly name: string }[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, file, names]) =>
    names!.match(/"[^"]+"/g)!.map((name) => ({ file: file!, name: name.slice(1, -1) }))
  )
}

describe('docs/SECURITY.md', () => {
  it('has each of the 32 threats once, in order, with what stops it', () => {
    expect(rows.map(({ number }) => number)).to.deep.equal(
      Array.from({ length: 32 }, (_, index) => index + 1)
    )
    for (const { number, cells } of rows) {
      expect(cells, `row ${number}`).to.have.length(3)
      for (const cell of cells) expect(cell.trim(), `row ${number}`).to.have.length.greaterThan(3)
    }
  })

  it('names only tests that exist', () => {
    const references = referencesIn(doc)
    expect(references.length).to.be.greaterThan(50)
    const missing = references.filter(({ file, name }) => {
      const url = new URL(file, ROOT)
      return (
        !existsSync(url) ||
        !["'", '"', '`'].some((quote) => readFileSync(url, 'utf8').includes(`it(${quote}${name}${quote}`))
      )
    })
    expect(missing).to.deep.equal([])
  })

  it('has a test for every threat, or says that what is threatened is not built yet', () => {
    for (const { number, cells } of rows) {
      const [, stops, tests] = cells
      if (referencesIn(tests!).length === 0)
        expect(`${stops} ${tests}`, `row ${number}`).to.include('not built yet')
    }
  })

  it('knows every test that is named after a threat', () => {
    const named = referencesIn(doc).map(({ name }) => name)
    for (const file of ['messages', 'streams', 'manifests', 'output']) {
      const text = readFileSync(new URL(`test/security/threats-${file}.spec.ts`, ROOT), 'utf8')
      for (const [, name] of text.matchAll(/ it\('(\d+ [^']+)'/g)) expect(named).to.include(name)
    }
  })
})
