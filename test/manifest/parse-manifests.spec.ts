import { expect } from 'chai'
import { parseManifests, REFUSED_KINDS } from '../../src/manifest/index.ts'
import {
  configMap,
  container,
  deployment,
  file,
  parseOne,
  pod,
  refuse,
  refuseAt,
  secret
} from './fixtures/manifests.ts'

describe('manifest/parseManifests', () => {
  it('sums up a deployment', () => {
    const containers = [
      container({
        ports: [
          { containerPort: 80, name: 'http' },
          { containerPort: 53, protocol: 'UDP', hostPort: 5353, hostIP: '127.0.0.1' }
        ],
        resources: { limits: { cpu: '500m', memory: '64Mi' } }
      }),
      container({ name: 'side', resources: { limits: { cpu: 1, memory: '1G' }, requests: { cpu: 0.25 } } })
    ]
    const metadata = { annotations: { 'beemesh.io/engine': 'podman' } }

    const manifest = parseOne(deployment({ replicas: 3 }, { containers }, metadata))

    const { objects, ...summary } = manifest
    expect(summary).to.deep.equal({
      kind: 'Deployment',
      namespace: 'default',
      name: 'web',
      replicas: 3,
      perNode: false,
      resources: { cpuMillis: 750, memoryBytes: 64 * 2 ** 20 + 1e9, storageBytes: 0 },
      ports: [
        { container: 'main', containerPort: 80, protocol: 'TCP', name: 'http' },
        { container: 'main', containerPort: 53, protocol: 'UDP', hostPort: 5353, hostIp: '127.0.0.1' }
      ],
      services: [],
      claims: [],
      rollout: {
        strategy: 'RollingUpdate',
        maxSurge: 1,
        maxUnavailable: 0,
        progressDeadlineMs: 600_000,
        minReadyMs: 0,
        ordered: false
      },
      placement: {
        strategy: 'auto',
        nodes: [],
        nodeSelector: {},
        requiredTerms: [],
        preferredTerms: [],
        apart: [],
        tolerations: [],
        spread: [],
        priority: 0
      },
      recovery: { onPartition: 'keep', onNodeLoss: 'recreate' },
      engine: 'podman'
    })
    expect(objects).to.have.length(1)
    expect(objects[0]?.metadata.namespace).to.equal('default')
  })

  it('counts the largest init container when it is more than the containers together', () => {
    const initContainers = [container({ name: 'init', resources: { limits: { memory: '1Gi' } } })]
    const containers = [container({ resources: { limits: { cpu: '100m', memory: '64Mi' } } })]
    expect(parseOne(pod({ initContainers, containers })).resources).to.deep.equal({
      cpuMillis: 100,
      memoryBytes: 2 ** 30,
      storageBytes: 0
    })
  })

  it('takes replicas 0 and 50, and no more', () => {
    expect(parseOne(deployment({ replicas: 0 })).replicas).to.equal(0)
    expect(parseOne(deployment({ replicas: 50 })).replicas).to.equal(50)
    refuseAt('spec.replicas', 'MANIFEST_INVALID', deployment({ replicas: 51 }))
  })

  it('gives each workload the ConfigMaps and Secrets it refers to, ordered by kind and name', () => {
    const using = (name: string, ...refs: object[]) =>
      pod({ containers: [container({ envFrom: refs })] }, { name })
    const text = file(
      secret('b', { x: '1' }),
      using(
        'one',
        { secretRef: { name: 'b' } },
        { configMapRef: { name: 'z' } },
        { configMapRef: { name: 'a' } }
      ),
      configMap('z', { y: '1' }),
      using('two', { configMapRef: { name: 'a' } }),
      configMap('a', { w: '1' })
    )

    const manifests = parseManifests(text)

    expect(manifests.map(({ objects }) => objects.map(({ metadata }) => metadata.name))).to.deep.equal([
      ['one', 'a', 'z', 'b'],
      ['two', 'a']
    ])
  })

  it('opens a List and skips empty documents', () => {
    const list = { apiVersion: 'v1', kind: 'List', items: [pod({}, { name: 'a' }), pod({}, { name: 'b' })] }
    expect(parseManifests(file('# nothing', list, '')).map(({ name }) => name)).to.deep.equal(['a', 'b'])
    refuseAt('items[1].spec.hostPID', 'MANIFEST_UNSUPPORTED_FIELD', {
      ...list,
      items: [pod(), pod({ hostPID: true }, { name: 'b' })]
    })
  })

  it('uses the namespace of the document, else the option, else default', () => {
    const text = file(pod(), pod({}, { namespace: 'shop' }))
    expect(parseManifests(text, { namespace: 'team' }).map(({ namespace }) => namespace)).to.deep.equal([
      'team',
      'shop'
    ])
    expect(parseManifests(text).map(({ namespace }) => namespace)).to.deep.equal(['default', 'shop'])
  })

  it('does not find a ConfigMap of another namespace', () => {
    const user = pod({ containers: [container({ envFrom: [{ configMapRef: { name: 'a' } }] })] })
    refuseAt(
      'spec.containers[0].envFrom[0].configMapRef',
      'MANIFEST_MISSING_REFERENCE',
      user,
      configMap('a', { x: '1' }, { metadata: { name: 'a', namespace: 'other' } })
    )
  })

  it('refuses a ConfigMap that nothing uses, and a file without a workload', () => {
    expect(refuse(pod(), configMap('a', {})).message).to.include(
      'document 2 (ConfigMap a): metadata.name is used by nothing in this file'
    )
    expect(refuse(configMap('a', {})).code).to.equal('MANIFEST_INVALID')
    expect(refuse('# nothing').message).to.include('holds no workload')
  })

  it('refuses a missing key, and accepts it when optional', () => {
    const using = (optional: boolean) => {
      const configMapKeyRef = { name: 'a', key: 'gone', optional }
      return pod({ containers: [container({ env: [{ name: 'X', valueFrom: { configMapKeyRef } }] })] })
    }
    refuseAt(
      'spec.containers[0].env[0].valueFrom.configMapKeyRef',
      'MANIFEST_MISSING_REFERENCE',
      using(false),
      configMap('a', { x: '1' })
    )
    expect(parseOne(using(true), configMap('a', { x: '1' })).objects).to.have.length(2)
    expect(parseOne(using(true)).objects).to.have.length(1)
  })

  it('refuses two documents of one kind, namespace and name', () => {
    refuseAt('metadata.name', 'MANIFEST_INVALID', pod(), pod())
    expect(parseManifests(file(pod(), pod({}, { namespace: 'b' }), deployment()))).to.have.length(3)
  })

  for (const [kind, reason] of Object.entries(REFUSED_KINDS))
    it(`refuses a ${kind} and says what to do instead`, () => {
      const error = refuse(pod(), { apiVersion: 'v1', kind, metadata: { name: 'x' } })
      expect(error.code).to.equal('MANIFEST_UNSUPPORTED_KIND')
      expect(error.message).to.include(`document 2 (${kind} x): kind = "${kind}" is refused: ${reason}`)
    })

  it('refuses a kind nobody knows, a missing kind and an old API version', () => {
    expect(refuse({ apiVersion: 'x/v1', kind: 'Gizmo', metadata: { name: 'x' } }).code).to.equal(
      'MANIFEST_UNSUPPORTED_KIND'
    )
    expect(refuse({ metadata: { name: 'x' } }).code).to.equal('MANIFEST_UNSUPPORTED_KIND')
    expect(refuse({ ...deployment(), apiVersion: 'extensions/v1beta1' }).message).to.include(
      'must be apps/v1'
    )
  })

  it('reports everything wrong in all documents at once, with file, document, path and value', () => {
    const first = pod({ hostNetwork: true, containers: [container({ image: '--privileged', porst: [] })] })
    const error = (() => {
      try {
        parseManifests(file(first, deployment({ replicas: 'two' })), { file: 'web.yaml' })
      } catch (thrown) {
        return thrown as Error & { violations: { document: number; path: string; value?: string }[] }
      }
      return expect.fail('accepted')
    })()
    expect(error.violations.map(({ document, path, value }) => [document, path, value])).to.have.deep.members(
      [
        [1, 'spec.hostNetwork', 'true'],
        [1, 'spec.containers[0].image', '"--privileged"'],
        [1, 'spec.containers[0].porst', undefined],
        [2, 'spec.replicas', '"two"']
      ]
    )
    expect(error.message).to.match(/^web\.yaml cannot be accepted, 4 problems:/)
    expect(error.message).to.include('did you mean ports?')
  })

  it('keeps at most 50 violations and counts the rest', () => {
    const fields = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`wrong${index}`, 1]))
    const error = refuse(pod(fields))
    expect(error.violations).to.have.length(50)
    expect(error.message).to.include('and 30 more')
    expect(error.details.total).to.equal(80)
  })

  it('treats null as unset, as `kubectl create --dry-run` writes it', () => {
    const text = `
apiVersion: apps/v1
kind: Deployment
metadata: { creationTimestamp: null, name: web, labels: { app: web } }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  strategy: {}
  template:
    metadata: { creationTimestamp: null, labels: { app: web } }
    spec:
      containers: [{ image: nginx, name: nginx, resources: {}, livenessProbe: null }]
      volumes: [{ name: scratch, emptyDir: }]
status: {}`
    expect(JSON.stringify(parseOne(text).objects)).to.not.include('null')
  })

  it('refuses a null value in data and labels', () => {
    refuseAt('metadata.labels.a', 'MANIFEST_INVALID', pod({}, { labels: { a: null } }))
    refuseAt('data.a', 'MANIFEST_INVALID', pod(), configMap('a', { a: null }))
  })

  it('reads a leading zero as octal, as kubectl does', () => {
    const volumes = '[{ name: s, secret: { secretName: s, defaultMode: 0400 } }]'
    const text = `{ apiVersion: v1, kind: Pod, metadata: { name: web }, spec: { containers: [{ name: a, image: b }], volumes: ${volumes} } }`
    const { spec } = parseOne(text, secret('s', { a: 'b' })).objects[0] as unknown as {
      spec: { volumes: { secret: { defaultMode: number } }[] }
    }
    expect(spec.volumes[0]?.secret.defaultMode).to.equal(0o400)
  })

  it('refuses a namespace option that is no DNS label', () => {
    expect(() => parseManifests(file(pod()), { namespace: 'Team' }))
      .to.throw()
      .with.property('code', 'MANIFEST_ARGUMENT')
  })
})
