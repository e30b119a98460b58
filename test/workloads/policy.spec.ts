import { expect } from 'chai'
import sinon from 'sinon'
import type { Client, ManifestResult } from '../../src/client/index.ts'
import type { ConfigInput } from '../../src/config/index.ts'
import { generateSigningKey } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { createLoneNode, type LoneNode } from '../fixtures/lone-node.ts'
import { STRICT_SECURITY } from '../fixtures/workload-files.ts'

const MIB = 2 ** 20

/** A Deployment of two containers that state nothing, or what is given. */
function web(container: object = {}, image = 'localhost/web:1') {
  const labels = { app: 'web' }
  const containers = ['main', 'side'].map((name) => ({ name, image, ...container }))
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers } }
  const spec = { replicas: 1, selector: { matchLabels: labels }, template }
  return parseManifests(
    JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec })
  )
}

describe('workloads: the sandbox policy of a node', () => {
  const guestKey = generateSigningKey()
  let lone: LoneNode
  let guest: Client
  afterEach(() => lone?.close())

  const open = async (settings: ConfigInput = {}) => {
    lone = await createLoneNode({}, {}, Object.assign(settings, { owners: [guestKey.peerId] }))
    guest = await lone.clientOf(guestKey)
  }
  const applied = async (client: Client, manifests = web()): Promise<ManifestResult> =>
    (await client.apply(manifests))[0]!
  const running = () => lone.engine.list({ labels: {} })

  it('refuses a guest everything that strict forbids, at once, and no engine hears of it', async () => {
    // given
    await open()
    const calls = (['validate', 'deploy', 'remove'] as const).map((name) => sinon.spy(lone.engine, name))
    const pick = sinon.spy(lone.engine, 'isAvailable')

    // when
    const { placements } = await applied(guest)

    // then
    const { error } = placements[0]!
    expect(error?.code).to.equal('POLICY_REFUSED')
    expect(error?.message).to.match(/^the strict sandbox policy of this node forbids 10 things here:\n/)
    for (const rule of ['root', 'privilegeEscalation', 'requireDropAll', 'seccomp'])
      expect(error?.message).to.include(`[${rule}]`)
    expect(error?.message).to.match(/\n {2}and 5 more$/)
    expect(error?.hint).to.include('policy.others').and.to.include('validate --policy strict')
    for (const spy of [...calls, pick]) expect(spy.callCount).to.equal(0)
    expect(await running()).to.deep.equal([])
    expect(lone.node.services.workloads.list()).to.deep.equal([])
  })

  it("runs the same manifest for the machine's own owner, with no limits added", async () => {
    await open()
    const { placements } = await applied(lone.client)
    expect(placements[0]).to.include({ state: 'running' })
    const { workloadId } = placements[0]!
    const config = lone.engine.getWorkloadConfig(workloadId)
    expect(config).to.include({ cpuMillis: 0, memoryBytes: 0 }).and.not.to.have.property('pidsLimit')
    expect(lone.node.services.workloads.resources().reserved.memoryBytes).to.equal(0)
  })

  it('runs a guest who keeps to it, with the default limits, which count as promised and survive restarts', async () => {
    // given
    await open()
    const limited = { cpuMillis: 1000, memoryBytes: 512 * MIB, pidsLimit: 1024 }

    // when
    const { placements } = await applied(guest, web({ securityContext: STRICT_SECURITY }))

    // then
    const { workloadId, state } = placements[0]!
    expect(state).to.equal('running')
    expect(lone.engine.getWorkloadConfig(workloadId)).to.include(limited)
    const { reserved } = lone.node.services.workloads.resources()
    expect(reserved).to.include({ cpuMillis: 1000, memoryBytes: 512 * MIB })

    // when its copy is lost and the node starts anew
    await lone.node.stop()
    await lone.engine.remove(workloadId, { graceMs: 0 })
    const lostAtMs = Date.now()
    await lone.restart()
    const back = await lone.event(({ type, atMs }) => type === 'started' && atMs >= lostAtMs)
    expect(lone.engine.getWorkloadConfig(back.workloadId)).to.include(limited)
  })

  it('leaves the version before running when it refuses the next one', async () => {
    await open()
    const first = await applied(guest, web({ securityContext: STRICT_SECURITY }))
    const second = await applied(
      guest,
      web({ securityContext: { ...STRICT_SECURITY, runAsUser: 0, runAsNonRoot: false } })
    )
    expect(second.placements[0]!.error?.code).to.equal('POLICY_REFUSED')
    const [status] = await guest.workloads()
    expect(status!.placements[0]).to.include({
      state: 'running',
      workloadId: first.placements[0]!.workloadId
    })
    expect(await running()).to.have.length(1)
  })

  it('follows the configuration: presets and overrides for own and others', async () => {
    const registries = ['registry.example/team']
    await open({ policy: { own: { preset: 'open', overrides: { registries } }, others: 'open' } })
    expect((await applied(lone.client)).placements[0]!.error?.message)
      .to.include('[registries]')
      .and.to.include('registry.example/team')
    expect((await applied(lone.client, web({}, 'registry.example/team/app:1'))).placements[0]).to.include({
      state: 'running'
    })
    expect((await applied(guest)).placements[0]).to.include({ state: 'running' })
  })

  it('takes secretsInEnvironment: false for everybody, whatever the policy says', async () => {
    await open({
      secretsInEnvironment: false,
      policy: { others: { preset: 'open', overrides: { secretsInEnvironment: true } } }
    })
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'a' } } }]
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' } }
    const containers = [{ name: 'main', image: 'localhost/web:1', env }]
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: { a: 'b' } }
    const text = [{ ...pod, spec: { containers } }, secret].map((one) => JSON.stringify(one)).join('\n---\n')
    for (const client of [lone.client, guest]) {
      const { error } = (await applied(client, parseManifests(text))).placements[0]!
      expect(error?.code).to.equal('POLICY_REFUSED')
      expect(error?.message).to.include('[secretsInEnvironment]').and.to.include('env[0]')
    }
  })

  it('replaces copies by ones with the new limits when a manifest is applied again under a changed policy', async () => {
    // given
    const limited = (pids: number) => ({
      own: { preset: 'open' as const, overrides: { defaultLimits: { pids } } }
    })
    const settings = { policy: limited(10) }
    const limitOf = ({ placements }: ManifestResult) =>
      lone.engine.getWorkloadConfig(placements[0]!.workloadId)?.pidsLimit
    await open(settings)
    const first = await applied(lone.client)
    expect(limitOf(await applied(lone.client)), 'applied again').to.equal(10)
    expect(await running()).to.have.length(1)

    // when
    settings.policy = limited(20)
    await lone.restart()
    expect(limitOf(first), 'what runs is left alone').to.equal(10)
    const second = await applied(lone.client)

    // then
    expect(limitOf(second)).to.equal(20)
    expect(await running()).to.have.length(1)
  })
})
