import { expect } from 'chai'
import { secretEnvUses } from '../../src/manifest/check/references.ts'
import { canonicalBytes, parseCanonical, parseManifests, toPod } from '../../src/manifest/index.ts'
import {
  claim,
  claimTemplate,
  configMap,
  container,
  cronJob,
  daemonSet,
  deployment,
  file,
  job,
  parseOne,
  pod,
  refusalOf,
  refuseAt,
  secret,
  service,
  statefulSet
} from './fixtures/manifests.ts'

type Json = Record<string, unknown>
const SALT = new Uint8Array(32)
const FROM_CLUSTER = {
  creationTimestamp: '2026-01-01T00:00:00Z',
  generation: 3,
  managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:metadata': {} } }],
  resourceVersion: '4711',
  selfLink: '/api/v1/x',
  uid: '0b0d2b52-8c0b-4d0b-9a0d-2b528c0b4d0b'
}
const LAST_APPLIED = { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"s3cr3t"}}' }

/** The object as a cluster would show it. */
function shown(object: Json): Json {
  const metadata = { ...(object.metadata as Json), ...FROM_CLUSTER }
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...((metadata as Json).annotations as Json), ...LAST_APPLIED } },
    status: { phase: 'Running', replicas: 1 }
  }
}

describe('manifest/cluster fields', () => {
  const files: readonly Json[][] = [
    [pod({ containers: [container({ envFrom: [{ secretRef: { name: 's' } }] })] }), secret('s', { a: 'b' })],
    [deployment(), service('web', { app: 'web' })],
    [statefulSet({ volumeClaimTemplates: [claimTemplate('data')] })],
    [daemonSet()],
    [job()],
    [cronJob()],
    [pod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }), claim('c')]
  ]
  for (const documents of files)
    it(`makes the same bytes of a ${String(documents[0]?.kind)} as a cluster shows it as of what was written`, () => {
      const written = canonicalBytes(parseOne(...documents), SALT)
      const fromCluster = canonicalBytes(parseOne(...documents.map(shown)), SALT)
      expect(Buffer.from(fromCluster).toString()).to.equal(Buffer.from(written).toString())
    })

  it('leaves them out of templates too', () => {
    const status = { status: { phase: 'Pending' }, apiVersion: 'v1', kind: 'PersistentVolumeClaim' }
    const templates = [{ ...claimTemplate('data'), ...status }]
    const { objects } = parseOne(statefulSet({ volumeClaimTemplates: templates }))
    expect(JSON.stringify(objects)).to.not.include('Pending')
  })

  it('refuses them on the node, where only the canonical form counts', () => {
    const bytes = canonicalBytes(parseOne(pod()), SALT)
    const text = Buffer.from(bytes)
      .toString()
      .replace('"kind":"Pod","metadata":{', '"kind":"Pod","metadata":{"generation":1,')
    expect(refusalOf(() => parseCanonical(Buffer.from(text))).code).to.equal('MANIFEST_NOT_CANONICAL')
  })

  it('refuses what ties an object to its cluster', () => {
    for (const field of ['finalizers', 'ownerReferences', 'deletionTimestamp'])
      refuseAt(`metadata.${field}`, 'MANIFEST_UNSUPPORTED_FIELD', pod({}, { [field]: ['x'] }))
  })

  it('accepts what changes nothing, and passes none of it on', () => {
    const manifest = parseOne(
      pod({
        serviceAccountName: 'default',
        serviceAccount: 'default',
        priority: 0,
        preemptionPolicy: 'PreemptLowerPriority',
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        os: { name: 'linux' },
        securityContext: { runAsUser: 5, runAsGroup: 6, fsGroup: 6, fsGroupChangePolicy: 'OnRootMismatch' },
        containers: [
          container({
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'FallbackToLogsOnError',
            securityContext: { capabilities: { drop: ['all'] } }
          })
        ]
      })
    )
    const { pod: made } = toPod(manifest, { workloadId: 'w', ordinal: 0, labels: {}, ports: [] })
    expect(made.spec).to.have.all.keys(
      'restartPolicy',
      'terminationGracePeriodSeconds',
      'securityContext',
      'containers'
    )
    expect(made.spec.securityContext).to.deep.equal({ runAsUser: 5, runAsGroup: 6 })
    expect(made.spec.containers[0]?.securityContext).to.deep.equal({ capabilities: { drop: ['ALL'] } })
  })

  it('accepts a service account that gets no token', () => {
    parseOne(pod({ serviceAccountName: 'web', automountServiceAccountToken: false }))
    refuseAt('spec.serviceAccountName', 'MANIFEST_UNSUPPORTED_FIELD', pod({ serviceAccountName: 'web' }))
  })

  it('refuses fsGroup that is not the group of every container', () => {
    const at = 'spec.securityContext.fsGroup'
    refuseAt(at, 'MANIFEST_UNSUPPORTED_FIELD', pod({ securityContext: { fsGroup: 6 } }))
  })

  it('leaves out the document of the namespace that a workload is in', () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { a: 'b' } } }
    const [manifest] = parseManifests(file(namespace, pod({}, { namespace: 'shop' })))
    expect(manifest?.objects).to.have.length(1)
    refuseAt('metadata.name', 'MANIFEST_INVALID', pod(), namespace)
  })

  it('says where Secrets go into the environment', () => {
    const one = container({
      env: [
        { name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        { name: 'B', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }
      ],
      envFrom: [{ configMapRef: { name: 'c' } }, { secretRef: { name: 's' } }],
      volumeMounts: [{ name: 'v', mountPath: '/v' }]
    })
    const volumes = [{ name: 'v', secret: { secretName: 's' } }]
    const manifest = parseOne(
      cronJob({}, {}, { containers: [one], volumes }),
      secret('s', { k: 'x' }),
      configMap('c', { k: 'x' })
    )
    const at = 'spec.jobTemplate.spec.template.spec.containers[0]'
    expect(secretEnvUses(manifest)).to.deep.equal([
      `${at}.env[0].valueFrom.secretKeyRef`,
      `${at}.envFrom[1].secretRef`
    ])
    expect(secretEnvUses(parseOne(pod({ volumes }), secret('s', {})))).to.deep.equal([])
  })

  it('pulls again what has no tag that stays, as Kubernetes does', () => {
    const digest = `nginx@sha256:${'a'.repeat(64)}`
    const images = [
      'nginx',
      'nginx:latest',
      'localhost:5000/nginx',
      'nginx:1.27',
      digest,
      'localhost:5000/a:b'
    ]
    const policies = images.map((image) => {
      const manifest = parseOne(pod({ containers: [container({ image })] }))
      const { pod: made } = toPod(manifest, { workloadId: 'w', ordinal: 0, labels: {}, ports: [] })
      return made.spec.containers[0]?.imagePullPolicy
    })
    expect(policies).to.deep.equal([
      'Always',
      'Always',
      'Always',
      'IfNotPresent',
      'IfNotPresent',
      'IfNotPresent'
    ])
  })

  it('tells a template from a mistake', () => {
    const { message } = refusalOf(() => parseManifests('kind: Pod\nmetadata: {{ include "x" . }}'))
    expect(message).to.include('helm template')
  })
})
