import { expect } from 'chai'
import fc from 'fast-check'
import { ManifestError, parseCanonical, parseManifests } from '../../src/manifest/index.ts'
import {
  configMap,
  container,
  deployment,
  file,
  pod,
  refusalOf,
  refuse,
  secret
} from './fixtures/manifests.ts'

/** Far above what any of these takes here (under 100 ms), far below what an unbounded parser takes (seconds). */
const MAX_MS = 1000

function timed<T>(run: () => T): T {
  const start = performance.now()
  const result = run()
  expect(performance.now() - start, 'ms').to.be.lessThan(MAX_MS)
  return result
}

describe('manifest/hostile input', () => {
  const aliasBomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...'bcdefghi'.split('').map((name, index) => {
      const previous = 'abcdefgh'[index]
      return `${name}: &${name} [${Array(9).fill(`*${previous}`).join(', ')}]`
    })
  ].join('\n')

  it('refuses an alias bomb', () => {
    const error = timed(() => refuse(aliasBomb))
    expect(error.code).to.equal('MANIFEST_SYNTAX')
    expect(error.message).to.include('aliases (*name) are not allowed')
  })

  const cases: readonly (readonly [what: string, text: string, codes: readonly string[]])[] = [
    [
      '20,000 keys in one map',
      `a: {${Array.from({ length: 20_000 }, (_, index) => `"${index.toString(36)}":`).join(',')}}`,
      ['MANIFEST_TOO_LARGE']
    ],
    [
      'as many keys as 64 KiB hold',
      `{${Array.from({ length: 8000 }, (_, index) => `k${index.toString(36)}: 1`).join(',')}}`,
      ['MANIFEST_UNSUPPORTED_KIND', 'MANIFEST_TOO_LARGE']
    ],
    [
      '8,000 unknown fields in a pod',
      `{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {${Array.from({ length: 7000 }, (_, index) => `k${index.toString(36)}: 1`).join(',')}}}`,
      ['MANIFEST_UNSUPPORTED_FIELD']
    ],
    ['20,000 opening brackets', '['.repeat(20_000), ['MANIFEST_SYNTAX']],
    ['20,000 closed brackets', '['.repeat(20_000) + ']'.repeat(20_000), ['MANIFEST_SYNTAX']],
    ['40 levels of lists', `${'['.repeat(40)}${']'.repeat(40)}`, ['MANIFEST_TOO_LARGE']],
    ['30,000 values', `[${'1,'.repeat(30_000)}]`, ['MANIFEST_TOO_LARGE']],
    ['more than 256 KiB', `# ${'x'.repeat(256 * 1024)}`, ['MANIFEST_TOO_LARGE']],
    ['256 KiB of characters that take more bytes', `# ${'é'.repeat(140_000)}`, ['MANIFEST_TOO_LARGE']],
    ['16,000 separators', '---\n'.repeat(16_000), ['MANIFEST_TOO_LARGE']],
    ['101 documents', Array(101).fill('{kind: Pod}').join('\n---\n'), ['MANIFEST_TOO_LARGE']],
    [
      '101 items in a List',
      JSON.stringify({ kind: 'List', items: Array(101).fill({}) }),
      ['MANIFEST_TOO_LARGE']
    ],
    ['a key twice', 'kind: Pod\nkind: Pod', ['MANIFEST_SYNTAX']],
    ['a custom tag', 'kind: !!js/function "x"', ['MANIFEST_SYNTAX']],
    ['binary by tag', 'kind: !!binary aGk=', ['MANIFEST_SYNTAX']],
    ['a number beyond 2^53', 'kind: 9007199254740993', ['MANIFEST_INVALID']],
    ['infinity', 'kind: .inf', ['MANIFEST_INVALID']],
    ['a list as document', '[1]', ['MANIFEST_INVALID']],
    ['a scalar as document', 'hello', ['MANIFEST_INVALID']],
    ['a List without items', '{kind: List}', ['MANIFEST_INVALID']],
    ['a NUL', 'kind: "\\0"', ['MANIFEST_INVALID']],
    ['an escape sequence', 'kind: "\\e[2J"', ['MANIFEST_INVALID']],
    ['a C1 control', 'kind: "\\x9b"', ['MANIFEST_INVALID']],
    ['half a surrogate pair', `{"kind": "${'\\'}ud800"}`, ['MANIFEST_INVALID', 'MANIFEST_SYNTAX']],
    ['no YAML at all', '{[}', ['MANIFEST_SYNTAX']]
  ]
  for (const [what, text, codes] of cases)
    it(`refuses ${what}, quickly`, () => {
      expect(codes).to.include(timed(() => refuse(text)).code)
    })

  for (const key of ['__proto__', 'constructor', 'prototype'])
    it(`refuses ${key} as a label, an annotation and a field, and pollutes nothing`, () => {
      const labels = JSON.parse(`{"${key}": {"polluted": "yes"}}`) as Record<string, unknown>
      for (const document of [
        pod({}, { labels }),
        pod({}, { annotations: labels }),
        { ...pod(), ...JSON.parse(`{"x": {"${key}": 1}}`) }
      ]) {
        const error = refuse(document)
        expect(
          error.violations.some(({ rule }) => rule === 'forbidden-key'),
          error.message
        ).to.equal(true)
      }
      const error = refuse(`kind: Pod\nmetadata: { labels: { ${key}: { polluted: yes } } }`)
      expect(error.violations[0]?.path).to.equal(`metadata.labels.${key}`)
      expect(({} as Record<string, unknown>).polluted).to.equal(undefined)
    })

  it('bounds variables that double each other', () => {
    const env = [{ name: 'V0', value: 'x'.repeat(1000) }]
    for (let index = 1; index < 40; index += 1)
      env.push({ name: `V${index}`, value: `$(V${index - 1})`.repeat(10) })
    const error = timed(() => refuse(pod({ containers: [container({ env })] })))
    expect(error.code).to.equal('MANIFEST_TOO_LARGE')
    expect(error.violations[0]?.rule).to.equal('expanded-size')
  })

  it('bounds names and values in the message', () => {
    const error = refuse({ ...pod(), metadata: { name: 'x'.repeat(5000) }, ['y'.repeat(5000)]: 1 })
    expect(error.message.length).to.be.lessThan(2000)
  })

  it('refuses on the node what is nested too deep, without a stack overflow', () => {
    const deep = `{"objects":[${'['.repeat(30_000)}${']'.repeat(30_000)}],"salt":"${'A'.repeat(43)}=","v":1}`
    expect(timed(() => refusalOf(() => parseCanonical(Buffer.from(deep)))).code).to.equal(
      'MANIFEST_TOO_LARGE'
    )
  })

  it('answers any value in any place with a manifest or a ManifestError', () => {
    const whole = deployment(
      { strategy: { type: 'Recreate' } },
      {
        initContainers: [container({ name: 'i', command: ['a'] })],
        containers: [
          container({
            env: [
              { name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
              { name: 'B', value: '$(A)' }
            ],
            envFrom: [{ configMapRef: { name: 'c' } }],
            ports: [{ containerPort: 80, hostPort: 80, hostIP: '::1' }],
            resources: { limits: { cpu: 1, memory: '64Mi' }, requests: { cpu: '1m' } },
            securityContext: { runAsUser: 1, runAsGroup: 1, runAsNonRoot: true },
            volumeMounts: [{ name: 'v', mountPath: '/v' }]
          })
        ],
        volumes: [
          { name: 'v', secret: { secretName: 's', items: [{ key: 'k', path: 'p' }] } },
          { name: 'w', emptyDir: { medium: 'Memory', sizeLimit: 1 } }
        ],
        hostAliases: [{ ip: '::1', hostnames: ['a'] }],
        dnsConfig: { nameservers: ['::1'] }
      },
      { annotations: { 'beemesh.io/engine': 'mock' } }
    )
    const list = {
      kind: 'List',
      items: [whole, configMap('c', { X: '1' }), secret('s', { k: 'v' }, { data: { k: 'AAAA' } })]
    }
    expect(parseManifests(file(list))).to.have.length(1)
    const paths: string[][] = []
    const visit = (value: unknown, path: string[]) => {
      paths.push(path)
      if (typeof value === 'object' && value !== null)
        for (const [key, child] of Object.entries(value)) visit(child, [...path, key])
    }
    visit(list, [])
    const put = (root: unknown, [head, ...rest]: string[], value: unknown): unknown => {
      if (head === undefined) return value
      const child = put((root as Record<string, unknown>)[head], rest, value)
      return Array.isArray(root) ? root.with(Number(head), child) : { ...(root as object), [head]: child }
    }
    const junk = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(null, 0, -1, 1e21, '', 'x', [], {}, [[]], [null], { a: null }, true)
    )
    fc.assert(
      fc.property(fc.constantFrom(...paths), junk, (path, value) => {
        try {
          parseManifests(JSON.stringify(put(list, path, value)))
        } catch (thrown) {
          if (!(thrown instanceof ManifestError)) throw thrown
        }
      }),
      { seed: 3, numRuns: 3000 }
    )
  })

  it('takes long base64 and long names in its stride', () => {
    const data = { k: 'A'.repeat(60_000) }
    timed(() => refuse(secret('s', {}, { data })))
    timed(() => refuse(secret('s', {}, { data: { k: `${'A'.repeat(59_999)}!` } })))
    timed(() => refuse(pod({}, { labels: { ['a'.repeat(60_000)]: 'x' } })))
    timed(() => refuse(pod({ containers: [container({ image: `${'a:'.repeat(25_000)}@` })] })))
  })

  it('accepts a manifest just below the limit', () => {
    const filler = `# ${'x'.repeat(260_000)}`
    expect(timed(() => parseManifests(file(filler, pod())))).to.have.length(1)
  })
})
