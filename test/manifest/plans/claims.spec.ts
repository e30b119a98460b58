import { expect } from 'chai'
import { claimVolumes, toPod } from '../../../src/manifest/index.ts'
import {
  claim,
  claimTemplate,
  container,
  daemonSet,
  deployment,
  parseOne,
  pod,
  refusalOf,
  refuse,
  refuseAt,
  statefulSet
} from '../fixtures/manifests.ts'

const mounted = { containers: [container({ volumeMounts: [{ name: 'data', mountPath: '/data' }] })] }
const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
const OPTIONS = { workloadId: 'web-1', ordinal: 2, labels: {}, ports: [], claimPrefix: 'bm-abc' }

describe('manifest/plans/claims', () => {
  it('names a volume of each ordinal by prefix, template and ordinal, whatever the version', () => {
    const manifest = parseOne(
      statefulSet({ replicas: 3, volumeClaimTemplates: [claimTemplate('data')] }, mounted)
    )
    expect(manifest.claims).to.deep.equal([{ name: 'data', perOrdinal: true, sizeBytes: 2 ** 30 }])
    expect(manifest.resources.storageBytes).to.equal(2 ** 30)
    const { pod: made } = toPod(manifest, OPTIONS)
    expect(made.spec.volumes).to.deep.equal([
      { name: 'web-1-data', persistentVolumeClaim: { claimName: 'bm-abc-data-2' } }
    ])
    expect(made.spec.containers[0]?.volumeMounts).to.deep.equal([{ name: 'web-1-data', mountPath: '/data' }])
    expect(claimVolumes(manifest, { claimPrefix: 'bm-abc', ordinal: 0 })).to.deep.equal(['bm-abc-data-0'])
  })

  it('takes a claim of the file, the same whichever copy asks', () => {
    const manifest = parseOne(
      deployment({}, { ...mounted, volumes }),
      claim('data', { storageClassName: 'ssd' })
    )
    expect(manifest.objects.map(({ kind }) => kind)).to.deep.equal(['Deployment', 'PersistentVolumeClaim'])
    expect(toPod(manifest, OPTIONS).pod.spec.volumes).to.deep.equal([
      { name: 'web-1-data', persistentVolumeClaim: { claimName: 'bm-abc-data' } }
    ])
  })

  it('mounts it read-only where the volume says so', () => {
    const readOnly = [{ name: 'data', persistentVolumeClaim: { claimName: 'data', readOnly: true } }]
    const manifest = parseOne(pod({ ...mounted, volumes: readOnly }), claim('data'))
    expect(toPod(manifest, OPTIONS).pod.spec.containers[0]?.volumeMounts).to.deep.equal([
      { name: 'web-1-data', mountPath: '/data', readOnly: true }
    ])
  })

  it('is mounted by containers of every user', () => {
    const mounts = { volumeMounts: [{ name: 'data', mountPath: '/data' }] }
    const containers = [
      container(mounts),
      container({ name: 'b', securityContext: { runAsUser: 5 }, ...mounts })
    ]
    const { pod: made } = toPod(parseOne(pod({ containers, volumes }), claim('data')), OPTIONS)
    for (const one of made.spec.containers)
      expect(one.volumeMounts).to.deep.equal([{ name: 'web-1-data', mountPath: '/data' }])
  })

  it('refuses to make a pod without a prefix, because the name would be another one’s', () => {
    const manifest = parseOne(pod({ ...mounted, volumes }), claim('data'))
    for (const claimPrefix of [undefined, '', '../x', 'A'])
      expect(
        refusalOf(() =>
          toPod(manifest, {
            ...OPTIONS,
            ...(claimPrefix === undefined ? { claimPrefix: '' } : { claimPrefix })
          })
        ).code
      ).to.equal('MANIFEST_ARGUMENT')
    const { claimPrefix: _, ...without } = OPTIONS
    expect(refusalOf(() => toPod(manifest, without)).code).to.equal('MANIFEST_ARGUMENT')
  })

  it('refuses a claim that copies would share', () => {
    const at = 'spec.template.spec.volumes[0].persistentVolumeClaim'
    for (const document of [deployment({ replicas: 2 }, { volumes }), daemonSet({}, { volumes })]) {
      const violation = refuseAt(at, 'MANIFEST_UNSUPPORTED_FIELD', document, claim('data'))
      expect(violation.message).to.include('StatefulSet')
    }
  })

  it('refuses a claim that two workloads use, one that none does, and one that is not there', () => {
    const error = refuse(pod({ volumes }), deployment({}, { volumes }), claim('data'))
    expect(error.violations[0]).to.include({ document: 3, path: 'metadata.name', rule: 'shared' })
    expect(refuse(pod(), claim('data')).violations[0]).to.include({ path: 'metadata.name', rule: 'unused' })
    refuseAt(
      'spec.volumes[0].persistentVolumeClaim.claimName',
      'MANIFEST_MISSING_REFERENCE',
      pod({ volumes })
    )
  })

  it('refuses a size that is none, and one name for a volume and a template', () => {
    const size = { resources: { requests: { storage: 'big' } } }
    refuseAt('spec.resources.requests.storage', 'MANIFEST_INVALID', pod({ volumes }), claim('data', size))
    const templates = { volumeClaimTemplates: [claimTemplate('data'), claimTemplate('data')] }
    refuseAt('spec.volumeClaimTemplates[1].metadata.name', 'MANIFEST_INVALID', statefulSet(templates))
    const both = statefulSet({ volumeClaimTemplates: [claimTemplate('data')] }, { volumes })
    refuseAt('spec.template.spec.volumes[0].name', 'MANIFEST_INVALID', both, claim('data'))
  })

  it('calls the copies of a StatefulSet by their ordinal', () => {
    const env = ['metadata.name', "metadata.labels['apps.kubernetes.io/pod-index']"].map(
      (fieldPath, index) => ({ name: `V${index}`, valueFrom: { fieldRef: { fieldPath } } })
    )
    const manifest = parseOne(statefulSet({}, { containers: [container({ env })] }))
    const { pod: made } = toPod(manifest, OPTIONS)
    expect(made.metadata.name).to.equal('web-1')
    expect(made.spec.hostname).to.equal('web-2')
    expect(made.spec.containers[0]?.env).to.deep.equal([
      { name: 'V0', value: 'web-2' },
      { name: 'V1', value: '2' }
    ])
    refuseAt('metadata.name', 'MANIFEST_INVALID', statefulSet({}, {}, { name: 'x'.repeat(62) }))
  })
})
