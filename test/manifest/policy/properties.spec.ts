import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import {
  checkPolicy,
  POLICY_PRESETS,
  PRESETS,
  parseManifests,
  resolvePolicy
} from '../../../src/manifest/index.ts'
import { FIXED_RULES } from '../../../src/manifest/policy/types.ts'
import { manifestText } from '../fixtures/arbitrary.ts'
import { container, cronJob, deployment, parseOne, pod } from '../fixtures/manifests.ts'
import { rulesBroken } from './fixtures.ts'

const maybe = <T>(values: readonly T[]) => fc.constantFrom(undefined, ...values)

/** Mostly what strict asks for, so that what it accepts is not only a rare case. */
const mostly = <T>(wanted: T, ...others: (T | undefined)[]) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(wanted) }, fc.constantFrom(undefined, ...others))

const security = fc.record({
  runAsUser: mostly(1000, 1),
  runAsNonRoot: mostly(true, false),
  allowPrivilegeEscalation: mostly(false, true),
  seccompProfile: mostly({ type: 'RuntimeDefault' }),
  capabilities: fc.record({
    drop: mostly(['ALL'], ['NET_RAW'], []),
    add: mostly<string[]>([], ['NET_BIND_SERVICE'], ['CHOWN', 'SETUID'])
  })
})
const ports = mostly<object[]>([], [{ containerPort: 80 }], [{ containerPort: 80, hostPort: 80 }])
const one = fc
  .record({ security, ports, cpu: maybe(['100m', 64]) })
  .map(({ security: securityContext, ports, cpu }) => ({
    securityContext,
    ports,
    resources: { limits: { cpu } }
  }))
// runAsNonRoot with a user above 0 missing is no manifest at all, so such draws get one
const sound = one.map((fields) => ({
  ...fields,
  securityContext: {
    ...fields.securityContext,
    runAsUser: fields.securityContext.runAsUser ?? (fields.securityContext.runAsNonRoot ? 5 : undefined)
  }
}))
const drawn = fc
  .record({
    main: sound,
    init: fc.option(sound),
    wrap: fc.constantFrom('pod', 'deployment', 'cronJob'),
    pids: mostly('100', '32768')
  })
  .map(({ main, init, wrap, pids }) => {
    const spec = {
      containers: [container(plain(main))],
      ...(init === null ? {} : { initContainers: [container({ ...plain(init), name: 'init', ports: [] })] })
    }
    const annotations = pids === undefined ? {} : { 'beemesh.io/pids-limit': pids }
    if (wrap === 'pod') return parseOne(pod(spec, { annotations }))
    return parseOne(
      wrap === 'deployment'
        ? deployment({}, spec, { annotations })
        : cronJob({}, {}, { restartPolicy: 'Never', ...spec })
    )
  })

function plain(value: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>
}

describe('manifest: properties of the sandbox policy', () => {
  it('what strict accepts baseline accepts, and what that accepts open accepts', () => {
    const seen = { strict: 0, baseline: 0, open: 0 }
    fc.assert(
      fc.property(drawn, (manifest) => {
        const accepts = POLICY_PRESETS.filter((preset) => rulesBroken(manifest, preset).length === 0)
        for (const preset of accepts) seen[preset]++
        if (accepts.includes('strict')) expect(accepts).to.include('baseline')
        if (accepts.includes('baseline')) expect(accepts).to.include('open')
      }),
      { numRuns: 400, seed: 7 }
    )
    expect(seen.strict, 'a property of nothing proves nothing').to.be.above(10)
    expect(seen.baseline).to.be.above(seen.strict).and.below(400)
  })

  it('open accepts whatever the format accepts', () => {
    fc.assert(
      fc.property(manifestText, (text) => {
        for (const manifest of parseManifests(text)) expect(rulesBroken(manifest, 'open')).to.deep.equal([])
      }),
      { numRuns: 100, seed: 7 }
    )
  })

  it('lists everything at once: of all containers, as many as if each were alone', () => {
    const bad = () => container({ ports: [{ containerPort: 80, hostPort: 8080 }] })
    const alone = rulesBroken(parseOne(pod({ containers: [bad()] })), 'strict')
    const both = rulesBroken(
      parseOne(
        pod({
          initContainers: [container({ name: 'init' })],
          containers: [bad(), container({ name: 'side' })]
        })
      ),
      'strict'
    )
    expect(alone.map((line) => line.split(' ')[0])).to.have.members([
      ...['root', 'root', 'privilegeEscalation', 'requireDropAll', 'seccomp', 'hostPorts']
    ])
    expect(both).to.include.members(alone)
    for (const place of ['spec.initContainers[0]', 'spec.containers[1]'])
      expect(both.filter((line) => line.includes(place))).to.have.length(5)
  })

  it('says of every violation where it is and what to do, in one clause', () => {
    const manifest = parseOne(pod({ containers: [container({ image: 'nginx' })] }))
    const overrides = { registries: ['registry.example'], requireDigest: true, requireReadOnlyRoot: true }
    const violations = checkPolicy(manifest, resolvePolicy({ preset: 'strict', overrides }))
    expect(violations).to.have.length(8)
    for (const { path, message } of violations) {
      expect(path).to.match(/^spec\.containers\[0]\./)
      expect(message).to.match(/^(must|names|\(nginx\) )/)
    }
  })
})

describe('docs/POLICY.md', () => {
  const doc = readFileSync(join(import.meta.dirname, '../../../docs/POLICY.md'), 'utf8')
  const rows = doc
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))

  it('says of every key what every preset has there', () => {
    const header = doc.split('\n').find((line) => line.startsWith('| key'))!
    const presets = header
      .split('|')
      .slice(2, 5)
      .map((cell) => cell.trim().replaceAll('`', ''))
    expect(presets).to.deep.equal(POLICY_PRESETS)
    const documented = rows.map(([, key = '', ...cells]) => [
      key.replaceAll('`', ''),
      ...cells.slice(0, 3).map((cell) => JSON.parse(cell.replaceAll('`', '')) as unknown)
    ])
    const actual = Object.keys(PRESETS.open).map((key) => [
      key,
      ...POLICY_PRESETS.map((preset) => PRESETS[preset][key as keyof typeof PRESETS.open])
    ])
    expect(documented).to.have.deep.members(actual)
  })

  it('names every rule that no policy allows', () => {
    for (const rule of FIXED_RULES) expect(doc).to.contain(`\`${rule}\``)
  })

  it('has keys that the configuration takes, and no others', () => {
    const schema = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../../schemas/config.json'), 'utf8')
    ) as { $defs: { sandboxRules: { properties: object } } }
    expect(Object.keys(schema.$defs.sandboxRules.properties)).to.have.members(Object.keys(PRESETS.open))
  })
})
