import { expect } from 'chai'
import { canonicalBytes, parseCanonical } from '../../../src/manifest/index.ts'
import {
  autoscaler,
  claim,
  container,
  deployment,
  file,
  job,
  parseOne,
  refuseAt,
  statefulSet
} from '../fixtures/manifests.ts'

const main = container({ resources: { requests: { cpu: '200m', memory: '64Mi' } } })
const side = container({ name: 'side', resources: { limits: { cpu: '100m', memory: '64Mi' } } })
const web = deployment({}, { containers: [main, side] })
const metric = (name: string, averageUtilization: number) => ({
  type: 'Resource',
  resource: { name, target: { type: 'Utilization', averageUtilization } }
})

describe('manifest/autoscale', () => {
  it('goes along with the workload it names, with the defaults of Kubernetes', () => {
    const manifest = parseOne(web, autoscaler())
    expect(manifest.objects).to.have.length(2)
    expect(manifest.autoscale).to.deep.equal({
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [{ resource: 'cpu', utilization: 80 }],
      requests: { cpuMillis: 300, memoryBytes: 128 * 2 ** 20 },
      behaviour: {
        scaleUp: {
          stabilizationMs: 0,
          select: 'Max',
          policies: [
            { type: 'Pods', value: 4, periodMs: 15_000 },
            { type: 'Percent', value: 100, periodMs: 15_000 }
          ]
        },
        scaleDown: {
          stabilizationMs: 300_000,
          select: 'Max',
          policies: [{ type: 'Percent', value: 100, periodMs: 15_000 }]
        }
      }
    })
    const received = parseCanonical(canonicalBytes(manifest, new Uint8Array(32))).manifest
    expect(received).to.deep.equal(manifest)
    expect(parseOne(web).autoscale).to.equal(undefined)
  })

  it('reads what is written, and fills in the rest', () => {
    const policies = [{ type: 'Pods', value: 1, periodSeconds: 60 }]
    const { autoscale } = parseOne(
      web,
      autoscaler({
        minReplicas: 2,
        metrics: [metric('memory', 70), metric('cpu', 120)],
        behavior: {
          scaleUp: { selectPolicy: 'Disabled' },
          scaleDown: { stabilizationWindowSeconds: 0, policies }
        }
      })
    )
    expect(autoscale).to.include({ minReplicas: 2, maxReplicas: 10 })
    expect(autoscale?.metrics).to.deep.equal([
      { resource: 'memory', utilization: 70 },
      { resource: 'cpu', utilization: 120 }
    ])
    expect(autoscale?.behaviour.scaleUp).to.include({ stabilizationMs: 0, select: 'Disabled' })
    expect(autoscale?.behaviour.scaleUp.policies).to.have.length(2)
    expect(autoscale?.behaviour.scaleDown).to.deep.equal({
      stabilizationMs: 0,
      select: 'Max',
      policies: [{ type: 'Pods', value: 1, periodMs: 60_000 }]
    })
  })

  it('refuses what cannot be scaled so', () => {
    const target = (kind: string, name = 'web') => ({ scaleTargetRef: { kind, name } })
    const named = { name: 'other' }
    refuseAt('spec.minReplicas', 'MANIFEST_INVALID', web, autoscaler({ minReplicas: 11 }))
    refuseAt('spec.maxReplicas', 'MANIFEST_INVALID', web, autoscaler({ maxReplicas: 51 }))
    refuseAt('spec.scaleTargetRef.kind', 'MANIFEST_INVALID', job(), autoscaler(target('Job')))
    refuseAt('spec.scaleTargetRef', 'MANIFEST_INVALID', web, autoscaler(target('Deployment', 'db')))
    refuseAt('spec.scaleTargetRef', 'MANIFEST_INVALID', web, autoscaler({}, { namespace: 'elsewhere' }))
    refuseAt('spec.scaleTargetRef.name', 'MANIFEST_INVALID', web, autoscaler(), autoscaler({}, named))
    refuseAt(
      'spec.metrics[0].type',
      'MANIFEST_UNSUPPORTED_FIELD',
      web,
      autoscaler({ metrics: [{ ...metric('cpu', 1), type: 'Pods' }] })
    )
    const found = refuseAt('spec.metrics', 'MANIFEST_INVALID', deployment(), autoscaler())
    expect(found.message).to.include('main of Deployment web has none')
    expect(found.kind).to.equal('HorizontalPodAutoscaler')
  })

  it('refuses a claim that several copies would share, and names that grow too long', () => {
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'v' } }]
    const shared = deployment({}, { containers: [main], volumes })
    const at = 'spec.template.spec.volumes[0].persistentVolumeClaim'
    refuseAt(at, 'MANIFEST_UNSUPPORTED_FIELD', shared, claim('v'), autoscaler())
    parseOne(shared, claim('v'), autoscaler({ maxReplicas: 1 }))
    const name = 'x'.repeat(61)
    const scaleTargetRef = { kind: 'StatefulSet', name }
    const set = statefulSet({}, { containers: [main] }, { name })
    parseOne(set, autoscaler({ scaleTargetRef, maxReplicas: 10 }))
    refuseAt('spec.maxReplicas', 'MANIFEST_INVALID', set, autoscaler({ scaleTargetRef, maxReplicas: 11 }))
  })

  it('takes what kubectl prints of one', () => {
    const printed = { ...autoscaler(), status: { currentReplicas: 3 } }
    expect(parseOne(file(web, printed)).autoscale?.maxReplicas).to.equal(10)
  })
})
