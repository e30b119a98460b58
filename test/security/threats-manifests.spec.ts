import { execFileSync } from 'node:child_process'
import { expect } from 'chai'
import { checkPolicy, parseManifests, resolvePolicy, toPod } from '../../src/manifest/index.ts'
import { openNodeStatement, signNodeStatement } from '../../src/members/index.ts'
import { PodmanCommand } from '../../src/runtime/podman/client/command.ts'
import { bytesOf, NETWORK, NODE, NOW_MS } from '../envelope/fixtures.ts'
import { configMap, container, file, parseOne, pod, refuse } from '../manifest/fixtures/manifests.ts'

type Json = Record<string, unknown>

const withVolume = (volume: Json, mount: Json = {}) =>
  pod({
    containers: [container({ volumeMounts: [{ name: 'v', mountPath: '/data', ...mount }] })],
    volumes: [{ name: 'v', ...volume }]
  })

describe('threats: manifests', () => {
  const banned: readonly (readonly [field: string, document: Json])[] = [
    ['spec.hostNetwork', pod({ hostNetwork: true })],
    ['spec.hostPID', pod({ hostPID: true })],
    ['spec.hostIPC', pod({ hostIPC: true })],
    ['spec.runtimeClassName', pod({ runtimeClassName: 'kata' })],
    [
      'spec.securityContext.sysctls',
      pod({ securityContext: { sysctls: [{ name: 'kernel.x', value: '1' }] } })
    ],
    ['spec.securityContext.seLinuxOptions', pod({ securityContext: { seLinuxOptions: { type: 'spc_t' } } })],
    ...(
      [
        ['privileged', true],
        ['procMount', 'Unmasked'],
        ['seLinuxOptions', { type: 'spc_t' }],
        ['windowsOptions', { hostProcess: true }],
        ['capabilities', { add: ['SYS_ADMIN'] }],
        ['capabilities', { add: ['ALL'] }],
        ['capabilities', { add: ['MKNOD'] }]
      ] as const
    ).map(
      ([name, value]) =>
        [
          `spec.containers[0].securityContext.${name}`,
          pod({ containers: [container({ securityContext: { [name]: value } })] })
        ] as const
    ),
    ['spec.containers[0].volumeDevices', pod({ containers: [container({ volumeDevices: [] })] })]
  ]

  it('15 privileged pods: every field that reaches for the machine is refused, under the most open policy too', () => {
    for (const [path, document] of banned) {
      const { violations, message } = refuse(document)
      expect(
        violations.some((one) => one.path.startsWith(path)),
        `${path} in\n${message}`
      ).to.equal(true)
    }
    expect(checkPolicy(parseOne(pod()), resolvePolicy('open'))).to.deep.equal([])
  })

  it('16 host paths: none is mounted, and no name leads out of the folder of its volume', () => {
    for (const path of ['/', '/etc', '../../etc', '/data/../etc', '/var/run/docker.sock', '/a\0b'])
      expect(refuse(withVolume({ hostPath: { path } })).message, path).to.match(/hostPath|control-character/)
    for (const key of ['../x', '..', 'a/b', '/etc/passwd', 'a\0b']) {
      const documents = [withVolume({ configMap: { name: 'c' } }), configMap('c', { [key]: 'x' })]
      expect(refuse(...documents).code, key).to.equal('MANIFEST_INVALID')
      const items = [{ key: 'x', path: key }]
      const renamed = [withVolume({ configMap: { name: 'c', items } }), configMap('c', { x: 'x' })]
      if (key !== 'a/b') expect(refuse(...renamed).code, `items ${key}`).to.equal('MANIFEST_INVALID')
    }
    for (const subPath of ['../x', '/etc', 'a/../../b'])
      expect(() => parseManifests(file(withVolume({ emptyDir: {} }, { subPath }))), subPath).to.throw()
    for (const mountPath of ['/../etc', 'etc', '/a\0b', '/a:/b'])
      expect(() => parseManifests(file(withVolume({ emptyDir: {} }, { mountPath }))), mountPath).to.throw()
  })

  it('17 injection: no option, no shell and no foreign variable comes out of a manifest', () => {
    for (const image of ['--privileged', '-v/:/host', 'a b', '$(id)', 'a;b', ' a', ''])
      expect(refuse(pod({ containers: [container({ image })] })).code, image).to.equal('MANIFEST_INVALID')
    for (const name of ['A=b', 'A\n', '1A', 'A B', ''])
      expect(refuse(pod({ containers: [container({ env: [{ name, value: 'x' }] })] })).code, name).to.equal(
        'MANIFEST_INVALID'
      )
    const command = ['echo', '$(id)', '`id`', '; reboot', '--privileged', '\'"\\']
    const { pod: made } = toPod(parseOne(pod({ containers: [container({ command })] })), {
      workloadId: 'w',
      ordinal: 0,
      labels: {},
      ports: []
    })
    // `$$(id)` is how Kubernetes writes a `$(id)` that stays
    const said = (made.spec.containers[0] as { command?: readonly string[] }).command!
    expect(said.map((one) => one.replace('$$(', '$('))).to.deep.equal(command)
  })

  it('17 injection: an engine command gets arguments as they are, and of our environment only what it needs', async () => {
    const variable = 'BEEMESH_THREAT_17'
    process.env[variable] = 'leaked'
    try {
      const printed = await new PodmanCommand(
        execFileSync('which', ['env']).toString().trim(),
        undefined,
        '/'
      ).run([], {
        timeoutMs: 5_000,
        what: 'print its environment'
      })
      expect(printed).to.include('PATH=').and.not.include(variable)
      const echo = new PodmanCommand(execFileSync('which', ['echo']).toString().trim(), undefined, '/')
      const words = ['$(id)', ';', '`id`', '*', '&& x', '$PATH']
      expect(await echo.run(words, { timeoutMs: 5_000, what: 'echo' })).to.equal(words.join(' '))
    } finally {
      delete process.env[variable]
    }
  })

  it('31 prototype pollution: __proto__ is refused in manifests and a plain key in what peers say', () => {
    const labels = JSON.parse('{"__proto__":{"polluted":true}}') as Json
    expect(refuse(pod({}, { labels })).violations.map(({ rule }) => rule)).to.include('forbidden-key')
    const self = {
      name: 'a',
      addresses: [],
      labels: Object.fromEntries([
        ['__proto__', 'polluted'],
        ['constructor', 'x']
      ]),
      engines: [],
      version: '1',
      bootId: bytesOf('boot', 16),
      scheduling: true,
      sealingKey: bytesOf('sealing', 1216),
      sealingEpoch: 1,
      memberships: []
    }
    const context = { networkId: NETWORK.id, nowMs: NOW_MS }
    const view = openNodeStatement(signNodeStatement(self, { key: NODE, ...context }), context)

    expect(Object.getPrototypeOf(view.labels)).to.equal(Object.prototype)
    expect(Object.keys(view.labels)).to.deep.equal(['__proto__', 'constructor'])
    expect(({} as Json).polluted).to.equal(undefined)
  })
})
