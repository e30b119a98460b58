import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { CORE_SCHEMA, loadAll } from 'js-yaml'
import {
  canonicalBytes,
  canonicalRules,
  ManifestError,
  parseCanonical,
  parseManifests,
  parseRules,
  probesOf,
  toPod
} from '../../src/manifest/index.ts'

const FOLDER = new URL('./fixtures/real-world/', import.meta.url)
const texts = readdirSync(FOLDER)
  .filter((name) => name !== 'chart-template.yaml')
  .map((name) => readFileSync(new URL(name, FOLDER), 'utf8'))
const files = texts.map((text) => loadAll(text, { schema: CORE_SCHEMA }) as unknown[])

/** Rules about the text, the file or a document that is no object, which has no field to name. */
const WITHOUT_PATH =
  'syntax size no-workload expanded-size max-values type number unicode control-character'.split(' ')

/** What must hold of any text whatever: manifests that work all the way to a pod, or an error that says where and why. */
function check(text: string): boolean {
  try {
    for (const manifest of parseManifests(text)) {
      expect(parseCanonical(canonicalBytes(manifest, new Uint8Array(32))).manifest).to.deep.equal(manifest)
      probesOf(manifest)
      expect(parseRules(canonicalRules(manifest.placement))).to.deep.equal(manifest.placement)
      toPod(manifest, { workloadId: 'w', ordinal: 0, labels: {}, ports: [], claimPrefix: 'c', completion: 0 })
    }
    return true
  } catch (thrown) {
    if (!(thrown instanceof ManifestError)) throw thrown
    expect(thrown.code).to.not.equal('MANIFEST_ARGUMENT')
    expect(thrown.violations).to.have.length.greaterThan(0)
    for (const { path, rule, message } of thrown.violations) {
      expect(message).to.have.length.greaterThan(5)
      if (path === '') expect(WITHOUT_PATH, thrown.message).to.include(rule)
    }
    return false
  }
}

type Path = readonly (string | number)[]

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, child]) => pathsOf(child, [...path, key]))]
}

function change(root: unknown, [head, ...rest]: Path, edit: (value: unknown) => unknown): unknown {
  if (head === undefined) return edit(root)
  if (Array.isArray(root)) {
    const child = change(root[Number(head)], rest, edit)
    return child === undefined ? root.toSpliced(Number(head), 1) : root.with(Number(head), child)
  }
  const object = root as Record<string, unknown>
  const child = change(object[head], rest, edit)
  const { [head]: _, ...others } = object
  return child === undefined ? others : { ...object, [head]: child }
}

const places = files.map((documents) => pathsOf(documents).filter((path) => path.length > 0))
const place = fc
  .nat({ max: files.length - 1 })
  .chain((file) => fc.record({ file: fc.constant(file), path: fc.constantFrom(...places[file]!) }))

const junk = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    null,
    0,
    -1,
    0.5,
    1e21,
    '',
    '%',
    '-1%',
    '../x',
    ' ',
    [],
    {},
    [[]],
    [null],
    { a: null },
    true
  ),
  fc.constantFrom<unknown>(
    '* * * * *',
    '30 2 31 2 *',
    'http',
    'Never',
    'ReadWriteOnce',
    'NodePort',
    65536,
    2 ** 31
  )
)

function put(file: number, ...edits: readonly (readonly [Path, (value: unknown) => unknown])[]): string {
  const documents = edits.reduce<unknown>((root, [path, edit]) => change(root, path, edit), files[file])
  return (documents as unknown[]).map((one) => JSON.stringify(one) ?? '').join('\n---\n')
}

describe('manifest/mutations of real manifests', () => {
  it('begin with some that are accepted and some that are not', () => {
    const accepted = texts.filter(check).length
    expect(accepted).to.be.greaterThan(10).and.lessThan(texts.length)
  })

  it('with any value in any place are accepted or refused with path and reason', () => {
    fc.assert(
      fc.property(place, junk, ({ file, path }, value) => {
        check(put(file, [path, () => value]))
      }),
      { seed: 11, numRuns: 1000 }
    )
  })

  it('with anything left out, said twice or moved are accepted or refused with path and reason', () => {
    const edits = fc.constantFrom<(value: unknown) => unknown>(
      () => undefined,
      (value) => [value, value],
      (value) => (Array.isArray(value) ? [...value, ...value] : { value }),
      (value) => (typeof value === 'object' && value !== null ? { ...value, unheardOf: 1 } : String(value)),
      (value) => (typeof value === 'string' ? value.toUpperCase() : value),
      (value) => (typeof value === 'number' ? -value : value)
    )
    fc.assert(
      fc.property(place, edits, ({ file, path }, edit) => {
        check(put(file, [path, edit]))
      }),
      { seed: 12, numRuns: 1000 }
    )
  })

  it('with a part of another in any place are accepted or refused with path and reason', () => {
    fc.assert(
      fc.property(place, place, (into, from) => {
        let part: unknown
        change(files[from.file], from.path, (value) => {
          part = value
          return value
        })
        check(put(into.file, [into.path, () => part]))
      }),
      { seed: 13, numRuns: 1000 }
    )
  })

  it('with characters lost, doubled or changed are accepted or refused with path and reason', () => {
    const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), length: fc.nat({ max: 12 }) })
    const insert = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.constantFrom('\n', ' ', '- ', ': ', '{', '"', '&a', '*a', '---\n')
    )
    fc.assert(
      fc.property(fc.constantFrom(...texts), edit, insert, (text, { at, length }, added) => {
        const position = Math.floor(at * text.length)
        check(text.slice(0, position) + added + text.slice(position + length))
      }),
      { seed: 14, numRuns: 1000 }
    )
  })
})
