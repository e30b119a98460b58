import { expect } from 'chai'
import type { Manifest } from '../../../src/manifest/index.ts'
import {
  limitsOf,
  parseManifests,
  pidsLimitOf,
  resolvePolicy,
  toPod,
  withDefaultLimits
} from '../../../src/manifest/index.ts'
import {
  claim,
  container,
  cronJob,
  daemonSet,
  deployment,
  file,
  job,
  parseOne,
  pod,
  statefulSet
} from '../fixtures/manifests.ts'

const MIB = 2 ** 20
const LIMITS = { cpuMillis: 100, memoryBytes: 128 * MIB, pids: 50 }

const limitsIn = (manifest: Manifest) => {
  const { pod: made } = toPod(manifest, {
    workloadId: 'w',
    ordinal: 0,
    labels: {},
    ports: [],
    claimPrefix: 'c',
    completion: 0
  })
  const { initContainers = [], containers } = made.spec as unknown as Record<
    'initContainers' | 'containers',
    { resources: { limits?: object } }[]
  >
  return [...initContainers, ...containers].map(({ resources }) => resources.limits)
}

describe('manifest: limits that a sandbox policy gives', () => {
  it('are those stated, else the default, never below the request, of init containers too', () => {
    const manifest = parseOne(
      pod({
        initContainers: [container({ name: 'init' })],
        containers: [
          container({ resources: { limits: { cpu: 0.5, memory: '64Mi' } } }),
          container({ name: 'b', resources: { limits: { memory: '64Mi' } } }),
          container({ name: 'c', resources: { requests: { cpu: 2, memory: '1Gi' } } })
        ]
      })
    )
    expect(limitsIn(withDefaultLimits(manifest, LIMITS))).to.deep.equal([
      { cpu: '100m', memory: '134217728' },
      { cpu: '500m', memory: '67108864' },
      { cpu: '100m', memory: '67108864' },
      { cpu: '2000m', memory: '1073741824' }
    ])
  })

  for (const document of [pod(), deployment(), statefulSet(), daemonSet(), job(), cronJob()])
    it(`reach the pod of a ${(document as { kind: string }).kind}, and change nothing else of it`, () => {
      const manifest = parseOne(document)
      const before = JSON.stringify(manifest)
      const limited = withDefaultLimits(manifest, LIMITS)
      expect(limitsIn(limited)).to.deep.equal([{ cpu: '100m', memory: '134217728' }])
      expect(pidsLimitOf(limited)).to.equal(50)
      expect(JSON.stringify(manifest), 'the manifest that was given').to.equal(before)
      const { objects: _objects, resources, ...rest } = limited
      const { objects: _before, resources: _none, ...same } = manifest
      expect(rest).to.deep.equal(same)
      expect(resources).to.deep.equal({ cpuMillis: 100, memoryBytes: 128 * MIB, storageBytes: 0 })
      // because a limited manifest is still one that the format takes
      expect(parseManifests(file(...limited.objects))).to.have.length(1)
    })

  it('leave the pids limit that the manifest states, and its disk', () => {
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
    const manifest = parseOne(
      pod({ volumes }, { annotations: { 'beemesh.io/pids-limit': '7' } }),
      claim('data')
    )
    const limited = withDefaultLimits(manifest, LIMITS)
    expect(pidsLimitOf(limited)).to.equal(7)
    expect(limited.resources.storageBytes).to.equal(manifest.resources.storageBytes).and.to.be.above(0)
  })

  it('are none without a policy', () => {
    const manifest = parseOne(pod())
    expect(withDefaultLimits(manifest, {})).to.equal(manifest)
    expect(limitsOf(resolvePolicy('open'))).to.deep.equal({})
  })

  it('are no more than one container may have', () => {
    const overrides = {
      defaultLimits: { cpuMillis: 500, pids: 10 },
      maxPerContainer: { cpuMillis: 200, memoryBytes: 6 * MIB }
    }
    const policy = resolvePolicy({ preset: 'open', overrides })
    expect(limitsOf(policy)).to.deep.equal({ cpuMillis: 200, memoryBytes: 6 * MIB, pids: 10 })
  })
})
