import { expect } from 'chai'
import { probesOf, toPod } from '../../../src/manifest/index.ts'
import { container, cronJob, deployment, parseOne, pod, refuse, refuseAt } from '../fixtures/manifests.ts'

const inMain = (fields: Record<string, unknown>) => pod({ containers: [container(fields)] })
const main = 'spec.containers[0]'

describe('manifest/transform/probesOf', () => {
  it('writes in the defaults of Kubernetes', () => {
    expect(probesOf(parseOne(inMain({ livenessProbe: { tcpSocket: { port: 80 } } })))).to.deep.equal([
      {
        container: 'main',
        kind: 'liveness',
        handler: { type: 'tcpSocket', port: 80 },
        initialDelayMs: 0,
        periodMs: 10_000,
        timeoutMs: 1000,
        successThreshold: 1,
        failureThreshold: 3
      }
    ])
    expect(probesOf(parseOne(pod()))).to.deep.equal([])
  })

  it('takes what is written, and finds a port by its name', () => {
    const [probe] = probesOf(
      parseOne(
        deployment(
          {},
          {
            containers: [
              container({
                ports: [{ name: 'web', containerPort: 8080 }],
                readinessProbe: {
                  httpGet: {
                    port: 'web',
                    path: 'ready',
                    scheme: 'HTTPS',
                    httpHeaders: [{ name: 'Host', value: 'a' }]
                  },
                  initialDelaySeconds: 5,
                  periodSeconds: 3,
                  timeoutSeconds: 2,
                  successThreshold: 2,
                  failureThreshold: 9
                }
              })
            ]
          }
        )
      )
    )
    expect(probe).to.deep.equal({
      container: 'main',
      kind: 'readiness',
      handler: {
        type: 'httpGet',
        port: 8080,
        path: '/ready',
        scheme: 'HTTPS',
        headers: [{ name: 'Host', value: 'a' }]
      },
      initialDelayMs: 5000,
      periodMs: 3000,
      timeoutMs: 2000,
      successThreshold: 2,
      failureThreshold: 9
    })
  })

  it('lists the probes of all containers, startup first, also of a CronJob', () => {
    const exec = { exec: { command: ['true'] } }
    const containers = [
      container({ readinessProbe: exec, startupProbe: exec }),
      container({ name: 'b', livenessProbe: { ...exec, terminationGracePeriodSeconds: 4 } })
    ]
    const probes = probesOf(parseOne(cronJob({}, {}, { containers })))
    expect(probes.map((one) => `${one.container} ${one.kind}`)).to.deep.equal([
      'main startup',
      'main readiness',
      'b liveness'
    ])
    expect(probes[2]?.terminationGraceMs).to.equal(4000)
  })

  it('replaces $(NAME) in a command by plain values only, as Kubernetes does', () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'B', value: '$(A)' },
      { name: 'C', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }
    ]
    const command = ['test', '$(A)', '$(B)', '$(C)', '$$(A)']
    const [probe] = probesOf(parseOne(inMain({ env, livenessProbe: { exec: { command } } })))
    expect(probe?.handler).to.deep.equal({ type: 'exec', command: ['test', '1', '$(A)', '$(C)', '$(A)'] })
  })

  it('bounds a command that grows', () => {
    const env = [{ name: 'A', value: 'x'.repeat(30_000) }]
    const error = refuse(inMain({ env, livenessProbe: { exec: { command: ['$(A)'.repeat(5)] } } }))
    expect(error.code).to.equal('MANIFEST_TOO_LARGE')
  })

  it('never reaches the pod, because engines run probes wrongly or not at all', () => {
    const manifest = parseOne(inMain({ livenessProbe: { tcpSocket: { port: 80 } } }))
    const { pod: made } = toPod(manifest, { workloadId: 'w', ordinal: 0, labels: {}, ports: [] })
    expect(JSON.stringify(made)).to.not.include('Probe')
  })

  const tcpSocket = { port: 80 }
  const invalid: readonly (readonly [what: string, path: string, fields: Record<string, unknown>])[] = [
    ['a probe that does nothing', `${main}.livenessProbe`, { livenessProbe: { periodSeconds: 1 } }],
    [
      'a probe that does two things',
      `${main}.livenessProbe`,
      { livenessProbe: { tcpSocket, exec: { command: ['true'] } } }
    ],
    [
      'a port name of no port',
      `${main}.startupProbe.tcpSocket.port`,
      { startupProbe: { tcpSocket: { port: 'web' } } }
    ],
    [
      'a liveness probe that must succeed twice',
      `${main}.livenessProbe.successThreshold`,
      { livenessProbe: { tcpSocket, successThreshold: 2 } }
    ],
    [
      'a period of 0',
      `${main}.livenessProbe.periodSeconds`,
      { livenessProbe: { tcpSocket, periodSeconds: 0 } }
    ],
    [
      'a header that is two',
      `${main}.livenessProbe.httpGet.httpHeaders[0].value`,
      { livenessProbe: { httpGet: { port: 80, httpHeaders: [{ name: 'A', value: 'a\nB: c' }] } } }
    ]
  ]
  for (const [what, path, fields] of invalid)
    it(`refuses ${what}`, () => {
      refuseAt(path, 'MANIFEST_INVALID', inMain(fields))
    })

  const unsupported: readonly (readonly [what: string, path: string, document: object])[] = [
    ['gRPC', `${main}.livenessProbe.grpc`, inMain({ livenessProbe: { grpc: { port: 1 } } })],
    [
      'another host',
      `${main}.livenessProbe.httpGet.host`,
      inMain({ livenessProbe: { httpGet: { port: 80, host: '169.254.169.254' } } })
    ],
    [
      'a grace period of a readiness probe',
      `${main}.readinessProbe.terminationGracePeriodSeconds`,
      inMain({ readinessProbe: { tcpSocket, terminationGracePeriodSeconds: 1 } })
    ],
    [
      'a probe of an init container',
      'spec.initContainers[0].livenessProbe',
      pod({ initContainers: [container({ name: 'i', livenessProbe: { tcpSocket } })] })
    ]
  ]
  for (const [what, path, document] of unsupported)
    it(`refuses ${what} with a reason`, () => {
      refuseAt(path, 'MANIFEST_UNSUPPORTED_FIELD', document)
    })

  it('keeps the values of headers out of errors', () => {
    const httpHeaders = [{ name: 'Authorization', value: 'Bearer s3cr3t\n' }]
    const { message } = refuse(inMain({ livenessProbe: { httpGet: { port: 80, httpHeaders } } }))
    expect(message).to.include('httpHeaders[0].value').and.not.include('s3cr3t')
  })
})
