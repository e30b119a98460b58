import { expect } from 'chai'
import {
  checkPolicy,
  limitsOf,
  parseManifests,
  pidsLimitOf,
  resolvePolicy,
  toPod,
  withDefaultLimits
} from '../../src/manifest/index.ts'
import { STRICT_SECURITY } from '../fixtures/workload-files.ts'
import { createPodmanFixture, IMAGE, type PodmanFixture } from './podman-fixture.ts'

describe('podman engine, a pod that the strict sandbox policy accepts', function () {
  this.timeout(60_000)
  let fixture: PodmanFixture
  before(async function () {
    const made = await createPodmanFixture()
    if (made === undefined) return this.skip() // because this machine cannot have Podman, as the fixture says aloud
    fixture = made
  })
  after(async () => {
    await fixture?.engine.remove(`${fixture.prefix}strict`, { graceMs: 0 })
    await fixture?.close()
  })

  it('runs without root, capabilities or a way to gain them, filtered, and with the limits that were written in', async () => {
    // given
    const policy = resolvePolicy('strict')
    const command = ['sh', '-c', "trap 'exit 143' TERM; sleep 10000 & wait"]
    const containers = [{ name: 'main', image: IMAGE, command, securityContext: STRICT_SECURITY }]
    const [written] = parseManifests(
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'strict' }, spec: { containers } })
    )
    expect(checkPolicy(written!, policy)).to.deep.equal([])
    const manifest = withDefaultLimits(written!, limitsOf(policy))
    const workloadId = `${fixture.prefix}strict`

    // when
    const { pod, files } = toPod(manifest, { workloadId, ordinal: 0, labels: {}, ports: [] })
    await fixture.engine.deploy({ workloadId, pod, files, pidsLimit: pidsLimitOf(manifest) })

    // then
    const name = `${workloadId}-main`
    const status = await fixture.podman('exec', name, 'cat', '/proc/1/status')
    const statusOf = (field: string) => new RegExp(`^${field}:\\s*(\\S+)`, 'm').exec(status)?.[1]
    expect(statusOf('Uid')).to.equal('1000')
    expect(statusOf('CapEff')).to.equal('0000000000000000')
    expect(statusOf('CapBnd')).to.equal('0000000000000000')
    expect(statusOf('NoNewPrivs')).to.equal('1')
    expect(statusOf('Seccomp'), 'a filter').to.equal('2')
    const { Memory, CpuQuota, CpuPeriod } = JSON.parse(await fixture.podman('inspect', name))[0].HostConfig
    expect(Memory).to.equal(policy.defaultLimits.memoryBytes)
    expect((CpuQuota / CpuPeriod) * 1000).to.equal(policy.defaultLimits.cpuMillis)
  })
})
