import { expect } from 'chai'
import fc from 'fast-check'
import { ManifestError, parseManifests } from '../../../src/manifest/index.ts'
import { refusalOf } from '../fixtures/manifests.ts'
import { db, type Json, project } from './fixtures.ts'

/** Far above what any of these takes here, far below what something unbounded takes. */
const MAX_MS = 1500

const whole = project(
  {
    command: 'a "b c"',
    entrypoint: ['x'],
    environment: { A: 'b' },
    ports: ['127.0.0.1:8080-8081:80-81/udp', { target: 443, published: '443' }],
    volumes: ['data:/a:ro', { type: 'tmpfs', target: '/b', tmpfs: { size: '1m' } }],
    tmpfs: ['/c:size=1m'],
    configs: [{ source: 'site', target: '/etc/a/b', mode: '0440' }],
    secrets: ['pw'],
    depends_on: {
      db: { condition: 'service_started' },
      setup: { condition: 'service_completed_successfully' }
    },
    networks: { default: { aliases: ['www'] } },
    extra_hosts: ['x=10.0.0.1'],
    restart: 'always',
    healthcheck: { test: ['CMD', 'a'], interval: '1s', retries: 3 },
    deploy: { resources: { limits: { cpus: '1', memory: '64m', pids: 5 } } },
    user: '1:1',
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges'],
    labels: ['a=b'],
    stop_grace_period: '5s',
    hostname: 'web'
  },
  {
    volumes: { data: { labels: { a: 'b' } } },
    configs: { site: { content: 'x' } },
    secrets: { pw: { content: 'y' } },
    networks: { default: {} },
    'x-beemesh': { engine: 'podman', namespace: 'a', annotations: { 'beemesh.io/on-node-loss': 'keep' } }
  },
  { db: db({ restart: 'always', pids_limit: 5 }), setup: db() }
)

function answers(file: unknown): void {
  try {
    expect(parseManifests(JSON.stringify(file))).to.not.have.length(0)
  } catch (thrown) {
    if (!(thrown instanceof ManifestError)) throw thrown
    expect(thrown.message.length).to.be.lessThan(50_000)
  }
}

describe('manifest/compose hostile input', () => {
  const junk = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(
      null,
      0,
      -1,
      1e21,
      '',
      'x',
      '$',
      '${',
      ':',
      '/:',
      '::',
      '=',
      '-',
      '1-2',
      [],
      {},
      [[]],
      [null],
      true
    )
  )

  it('accepts the file that is damaged below', () => {
    expect(parseManifests(JSON.stringify(whole))).to.have.length(1)
  })

  it('answers any value in any place with a manifest or a ManifestError', () => {
    const paths: string[][] = []
    const visit = (value: unknown, path: string[]) => {
      paths.push(path)
      if (typeof value === 'object' && value !== null)
        for (const [key, child] of Object.entries(value)) visit(child, [...path, key])
    }
    visit(whole, [])
    const put = (root: unknown, [head, ...rest]: string[], value: unknown): unknown => {
      if (head === undefined) return value
      const child = put((root as Json)[head], rest, value)
      return Array.isArray(root) ? root.with(Number(head), child) : { ...(root as object), [head]: child }
    }
    fc.assert(
      fc.property(fc.constantFrom(...paths), junk, (path, value) => answers(put(whole, path, value))),
      { seed: 5, numRuns: 3000 }
    )
  })

  it('answers any services with manifests or a ManifestError', () => {
    const fields = Object.keys((whole.services as Record<string, object>).web ?? {})
    const service = fc.dictionary(fc.oneof(fc.constantFrom(...fields), fc.string()), junk, { maxKeys: 6 })
    const services = fc.oneof(junk, fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.oneof(junk, service)))
    fc.assert(
      fc.property(services, (value) => answers({ name: 'shop', services: value })),
      { seed: 6, numRuns: 2000 }
    )
  })

  const many = (count: number, item: (index: number) => unknown) =>
    Array.from({ length: count }, (_, n) => item(n))
  const large: readonly (readonly [what: string, file: Json])[] = [
    ['tmpfs', project({ tmpfs: many(15_000, (n) => `/${n}`) })],
    ['extra hosts', project({ extra_hosts: many(9_000, (n) => `h${n}=10.0.0.1`) })],
    ['ports', project({ ports: many(2_000, (n) => `${n * 32 + 1}-${n * 32 + 32}`) })],
    ['ports of colons', project({ ports: [':'.repeat(200_000)] })],
    ['ports of digits', project({ ports: ['1-'.repeat(100_000)] })],
    [
      'networks',
      project(
        { networks: many(9_000, (n) => `n${n}`) },
        { networks: Object.fromEntries(many(9_000, (n) => [`n${n}`, null]) as [string, null][]) }
      )
    ],
    ['dependencies', project({ depends_on: many(15_000, () => 'db') }, {}, { db: db() })],
    ['unknown fields', project(Object.fromEntries(many(15_000, (n) => [`k${n}`, 1]) as [string, number][]))],
    [
      'services',
      { name: 'shop', services: Object.fromEntries(many(9_000, (n) => [`s${n}`, db()]) as [string, Json][]) }
    ],
    ['quotes', project({ command: `"'`.repeat(100_000) })],
    ['dollars', project({ command: ['$'.repeat(200_000)] })],
    ['an interval', project({ healthcheck: { test: 'a', interval: '1'.repeat(200_000) } })],
    [
      'files',
      project(
        { configs: many(6_000, (n) => ({ source: 'a', target: `/a/b/${n}` })) },
        { configs: { a: { content: 'x' } } }
      )
    ]
  ]
  for (const [what, file] of large)
    it(`answers a great many ${what}, quickly`, () => {
      const start = performance.now()
      answers(file)
      expect(performance.now() - start, 'ms').to.be.lessThan(MAX_MS)
    })

  it('leaves nothing behind in Object for a service called __proto__', () => {
    const text = '{"name": "a", "services": {"__proto__": {"image": "x"}, "constructor": {"image": "x"}}}'
    expect(refusalOf(() => parseManifests(text)).violations.map(({ rule }) => rule)).to.include(
      'forbidden-key'
    )
    expect(({} as Json).image).to.equal(undefined)
  })
})
