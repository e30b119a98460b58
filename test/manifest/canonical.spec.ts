import { expect } from 'chai'
import fc from 'fast-check'
import { canonicalBytes, parseCanonical, parseManifests } from '../../src/manifest/index.ts'
import { manifestText } from './fixtures/arbitrary.ts'
import { configMap, container, deployment, file, parseOne, pod, refusalOf } from './fixtures/manifests.ts'

const SALT = new Uint8Array(32).fill(7)

function tamper(bytes: Uint8Array, change: (root: Record<string, unknown>) => unknown): Uint8Array {
  return Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(bytes).toString()))))
}

describe('manifest/canonical', () => {
  it('writes RFC 8785 JSON with sorted keys', () => {
    const text = Buffer.from(canonicalBytes(parseOne(pod()), SALT)).toString()
    expect(text).to.equal(
      '{"kind":"Pod","name":"web","namespace":"default","objects":[{"apiVersion":"v1","kind":"Pod",' +
        '"metadata":{"name":"web","namespace":"default"},"spec":{"containers":[{"image":"docker.io/library/nginx:1.27",' +
        '"name":"main"}]}}],"salt":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=","v":1}'
    )
  })

  it('reads back exactly what was written, for any manifest', () => {
    fc.assert(
      fc.property(manifestText, fc.uint8Array({ minLength: 32, maxLength: 32 }), (text, salt) => {
        const [manifest] = parseManifests(text)
        const bytes = canonicalBytes(manifest!, salt)
        const read = parseCanonical(bytes)
        expect(read.manifest).to.deep.equal(manifest)
        expect(Buffer.from(read.salt).equals(salt)).to.equal(true)
        expect(Buffer.from(canonicalBytes(read.manifest, read.salt)).equals(bytes)).to.equal(true)
      }),
      { seed: 1, numRuns: 200 }
    )
  })

  it('gives the same bytes for YAML and JSON, and for documents in another order', () => {
    const user = pod({ containers: [container({ envFrom: [{ configMapRef: { name: 'a' } }] })] })
    const yaml = 'kind: ConfigMap\napiVersion: v1\ndata: { x: "1" }\nmetadata: { name: a }'
    const bytes = [
      [user, configMap('a', { x: '1' })],
      [yaml, user]
    ].map((documents) => Buffer.from(canonicalBytes(parseOne(...documents), SALT)).toString())
    expect(bytes[0]).to.equal(bytes[1])
  })

  const honest = () => canonicalBytes(parseOne(pod()), SALT)
  const notCanonical: readonly (readonly [what: string, bytes: () => Uint8Array])[] = [
    ['no JSON', () => Buffer.from('{')],
    ['no UTF-8', () => Uint8Array.of(0xff)],
    ['an array', () => Buffer.from('[]')],
    ['another version', () => tamper(honest(), (root) => ({ ...root, v: 2 }))],
    ['a short salt', () => tamper(honest(), (root) => ({ ...root, salt: 'AAAA' }))],
    ['another name', () => tamper(honest(), (root) => ({ ...root, name: 'other' }))],
    ['another namespace', () => tamper(honest(), (root) => ({ ...root, namespace: 'other' }))],
    ['another kind', () => tamper(honest(), (root) => ({ ...root, kind: 'Deployment' }))],
    ['a field more', () => tamper(honest(), (root) => ({ ...root, extra: 1 }))],
    [
      'keys in another order',
      () => tamper(honest(), (root) => Object.fromEntries(Object.entries(root).reverse()))
    ],
    ['space between', () => Buffer.concat([honest(), Buffer.from(' ')])],
    ['a key twice', () => Buffer.from(Buffer.from(honest()).toString().replace('{', '{"v":9,'))],
    [
      'two workloads',
      () => tamper(honest(), (root) => ({ ...root, objects: [pod(), pod({}, { name: 'b' })] }))
    ],
    ['objects that are none', () => tamper(honest(), (root) => ({ ...root, objects: {} }))]
  ]
  for (const [what, bytes] of notCanonical)
    it(`refuses ${what}`, () => {
      expect(refusalOf(() => parseCanonical(bytes())).code).to.equal('MANIFEST_NOT_CANONICAL')
    })

  it('validates again, because the owner may use another client', () => {
    const bytes = tamper(honest(), (root) => ({
      ...root,
      objects: [pod({ hostNetwork: true }, { namespace: 'default' })]
    }))
    const error = refusalOf(() => parseCanonical(bytes))
    expect(error.code).to.equal('MANIFEST_UNSUPPORTED_FIELD')
    expect(error.violations[0]?.path).to.equal('spec.hostNetwork')
  })

  it('refuses a manifest that takes more than 64 KiB together with what it uses', () => {
    const user = deployment(
      {},
      { containers: [container()], volumes: [{ name: 'v', configMap: { name: 'a' } }] }
    )
    // a quote takes one byte in single-quoted YAML and two in JSON
    const yaml = `kind: ConfigMap\napiVersion: v1\nmetadata: { name: a }\ndata: { x: '${'"'.repeat(40_000)}' }`
    expect(refusalOf(() => parseManifests(file(user, yaml))).code).to.equal('MANIFEST_TOO_LARGE')
    expect(refusalOf(() => parseCanonical(new Uint8Array(64 * 1024 + 1))).code).to.equal('MANIFEST_TOO_LARGE')
  })

  it('refuses a salt of another length', () => {
    expect(refusalOf(() => canonicalBytes(parseOne(pod()), new Uint8Array(31))).code).to.equal(
      'MANIFEST_ARGUMENT'
    )
  })
})
