import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { postProcess } from '../../scripts/gen/fbs-flatc.ts'
import { buildModel } from '../../scripts/gen/fbs-model.ts'
import { parseSchema } from '../../scripts/gen/fbs-parser.ts'
import { findStale, makeStamp, stampPath } from '../../scripts/gen/stamp.ts'
import type { Generator } from '../../scripts/gen/types.ts'
import * as envelope from '../../src/envelope/index.ts'
import * as generated from '../../src/generated/fbs/index.ts'
import { codeOf } from '../envelope/fixtures.ts'

const ROOT = dirname(dirname(import.meta.dirname))

describe('npm run gen', () => {
  it('finds that everything committed is current', () => {
    const said = execFileSync(process.execPath, [join(ROOT, 'scripts/gen.ts'), '--check'], {
      encoding: 'utf8',
      stdio: 'pipe'
    })

    expect(said).to.match(/fbs: \d+ files are current/)
    expect(said).to.match(/vectors: \d+ files are current/)
  }).timeout(60_000)

  describe('--check', () => {
    let root: string
    let generator: Generator
    const put = (path: string, content: string) => {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), content)
    }
    beforeEach(() => {
      root = mkdtempSync(join(tmpdir(), 'beemesh-stale-'))
      generator = {
        name: 'toy',
        ownedFolders: ['out/'],
        inputs: () => ['in.txt'],
        generate: () => ({ files: new Map([['out/a.ts', 'made\n']]), kept: ['out/kept.ts'] })
      }
      put('in.txt', 'input')
      put('out/a.ts', 'made\n')
      put('out/kept.ts', 'kept')
      put(stampPath(generator), makeStamp(root, generator, generator.generate()))
    })
    afterEach(() => rmSync(root, { recursive: true }))
    const problems = () => findStale(root, generator, generator.generate())

    it('has nothing to say when nothing changed', () => {
      expect(problems()).to.deep.equal([])
    })

    it('names a file that was edited by hand', () => {
      put('out/a.ts', 'edited\n')
      expect(problems()).to.deep.equal(['out/a.ts is not what the generator makes'])
    })

    it('names a file that was kept because its tool is missing, and edited', () => {
      put('out/kept.ts', 'edited')
      expect(problems().join()).to.contain('out/kept.ts')
    })

    it('names an input that changed', () => {
      put('in.txt', 'other')
      expect(problems().join()).to.contain('see in.txt')
    })

    it('names a file that is no longer generated', () => {
      put('out/old.ts', '')
      expect(problems()).to.deep.equal(['out/old.ts is no longer generated'])
    })
  })
})

describe('schema parser', () => {
  const table = (field: string) => () => parseSchema('x', `namespace beemesh.v1;\ntable T {\n  ${field}\n}\n`)
  const refused: ReadonlyArray<readonly [string, string]> = [
    ['an optional scalar', 'a: uint = null;'],
    ['a string without bound', 'a: string;'],
    ['a vector without bound', 'a: [ubyte] (required);'],
    ['a vector with two bounds', 'a: [ubyte] (max: 1, exact: 1);'],
    ['a bound on a number', 'a: uint (max: 3);'],
    ['an unknown attribute', 'a: uint (deprecated);'],
    ['something else', 'struct S {']
  ]
  for (const [name, field] of refused) {
    it(`refuses ${name}`, () => {
      expect(codeOf(table(field))).to.equal('SCHEMA_INVALID')
    })
  }

  it('refuses unions, gaps in enums, and tables that are not closed', () => {
    for (const text of [
      'union U { A, B }',
      'enum E : ubyte { a = 0, b = 2 }',
      'enum E : int { a = 0 }',
      'table T {',
      'namespace other;'
    ])
      expect(
        codeOf(() => parseSchema('x', text)),
        text
      ).to.equal('SCHEMA_INVALID')
  })

  it('refuses tables that contain themselves and types nobody knows', () => {
    for (const text of [
      'table T {\n  t: [T] (max: 3);\n}',
      'table T {\n  t: Missing;\n}',
      'table T {\n  t: [ulong] (max: 3);\n}',
      'table T {\n  a: bool;\n}\nroot_type T;'
    ])
      expect(
        codeOf(() => buildModel([parseSchema('x', text)])),
        text
      ).to.equal('SCHEMA_INVALID')
  })

  it('reads what a field says', () => {
    const { tables } = parseSchema(
      'x',
      '// A table.\ntable T {\n  some_name: [ubyte] (required, exact: 32);   // what it is\n}'
    )

    expect(tables[0]).to.deep.equal({
      name: 'T',
      comment: 'A table.',
      fields: [
        {
          name: 'some_name',
          type: 'ubyte',
          vector: true,
          required: true,
          max: undefined,
          exact: 32,
          defaultValue: undefined,
          comment: 'what it is'
        }
      ]
    })
  })
})

describe('generated code', () => {
  it('has no enum and no import without ending after the post-process', () => {
    const out = postProcess(
      "import { A } from '../../beemesh/v1/a-b';\nexport enum X {\n  none = 0,\n  one = 1\n}\n"
    )

    expect(out).to.contain("from './a-b.ts'")
    expect(out).to.contain('export const X = {\n  none: 0,\n  one: 1\n} as const\nexport type X = number')
  })

  it('has a descriptor for every root, and envelope/ hands on all of them', () => {
    const isRoot = (value: unknown) =>
      typeof value === 'object' && value !== null && 'identifier' in value && 'layout' in value
    const roots = Object.entries(generated).filter(([, value]) => isRoot(value))

    expect(roots.length).to.be.above(15)
    for (const [name, value] of roots) expect(Object.entries(envelope), name).to.deep.include([name, value])
    const identifiers = roots.map(([, value]) => (value as generated.Root<unknown>).identifier)
    expect(new Set(identifiers).size).to.equal(roots.length)
  })
})
