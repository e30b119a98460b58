import { expect } from 'chai'
import { parseManifests, toPod } from '../../../src/manifest/index.ts'
import {
  container,
  deployment,
  file,
  parseOne,
  pod,
  refuse,
  refuseAt,
  service
} from '../fixtures/manifests.ts'

const APP = { app: 'web' }
const http = { containers: [container({ ports: [{ name: 'http', containerPort: 8080 }] })] }
const nodePort = (port: object) => service('web', APP, { type: 'NodePort', ports: [port] })

describe('manifest/plans/ports', () => {
  it('gives the target port of a Service its nodePort as host port', () => {
    const { ports, services } = parseOne(
      deployment({}, http),
      nodePort({ port: 80, targetPort: 'http', nodePort: 30080 })
    )
    expect(ports).to.deep.equal([
      { container: 'main', containerPort: 8080, protocol: 'TCP', hostPort: 30080, name: 'http' }
    ])
    expect(services).to.deep.equal([
      { name: 'web', headless: false, ports: [{ port: 80, containerPort: 8080, protocol: 'TCP' }] }
    ])
  })

  it('adds a port that no container declares, and publishes it', () => {
    const manifest = parseOne(deployment(), service('web', APP, { clusterIP: 'None' }))
    expect(manifest.ports).to.deep.equal([{ container: 'main', containerPort: 80, protocol: 'TCP' }])
    expect(manifest.services[0]?.headless).to.equal(true)
    const ports = [{ containerPort: 80, protocol: 'TCP' as const, hostPort: 19000, hostIp: '127.0.0.1' }]
    const { pod: made } = toPod(manifest, { workloadId: 'w', ordinal: 0, labels: {}, ports })
    expect(made.spec.containers[0]?.ports).to.deep.equal([
      { containerPort: 80, protocol: 'TCP', hostPort: 19000, hostIP: '127.0.0.1' }
    ])
  })

  it('attaches to every workload that its selector matches, and to no other', () => {
    const other = pod({}, { name: 'other', labels: { app: 'other' } })
    const twin = pod({}, { name: 'twin', labels: { app: 'web', tier: 'x' } })
    const manifests = parseManifests(file(deployment(), twin, other, service('web', APP)))
    expect(manifests.map(({ services }) => services.length)).to.deep.equal([1, 1, 0])
  })

  it('takes 0 for unset, as in Kubernetes', () => {
    const ports = { containers: [container({ ports: [{ containerPort: 80, hostPort: 0 }] })] }
    const manifest = parseOne(deployment({}, ports), nodePort({ port: 80, nodePort: 0 }))
    expect(manifest.ports).to.deep.equal([{ container: 'main', containerPort: 80, protocol: 'TCP' }])
  })

  it('refuses a Service that matches nothing in the file', () => {
    const error = refuse(deployment(), service('web', { app: 'gone' }))
    expect(error.violations[0]).to.include({ document: 2, path: 'spec.selector', rule: 'unused' })
  })

  const port = 'spec.ports[0]'
  const invalid: readonly (readonly [what: string, path: string, service: object])[] = [
    [
      'a name that no port has',
      `${port}.targetPort`,
      service('web', APP, { ports: [{ port: 80, targetPort: 'grpc' }] })
    ],
    [
      'a nodePort without its type',
      `${port}.nodePort`,
      service('web', APP, { ports: [{ port: 80, nodePort: 30080 }] })
    ],
    ['two ports without names', `${port}.name`, service('web', APP, { ports: [{ port: 80 }, { port: 81 }] })],
    [
      'one nodePort for two ports',
      'spec.ports[1].nodePort',
      service('web', APP, {
        type: 'NodePort',
        ports: [
          { name: 'a', port: 80, nodePort: 30080 },
          { name: 'b', port: 81, nodePort: 30080 }
        ]
      })
    ]
  ]
  for (const [what, path, document] of invalid)
    it(`refuses ${what}`, () => {
      refuseAt(path, 'MANIFEST_INVALID', deployment({}, http), document)
    })

  it('refuses a nodePort that is not the hostPort of its target', () => {
    const fixed = { containers: [container({ ports: [{ containerPort: 80, hostPort: 8080 }] })] }
    refuseAt(
      `${port}.nodePort`,
      'MANIFEST_INVALID',
      deployment({}, fixed),
      nodePort({ port: 80, nodePort: 30080 })
    )
  })

  for (const type of ['LoadBalancer', 'ExternalName'])
    it(`refuses type ${type} and says what to write`, () => {
      const document = service('web', APP, { type })
      const { message } = refuseAt('spec.type', 'MANIFEST_UNSUPPORTED_FIELD', deployment(), document)
      expect(message).to.include('NodePort')
    })
})
