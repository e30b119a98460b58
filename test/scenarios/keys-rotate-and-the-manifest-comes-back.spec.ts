import { expect } from 'chai'
import { toHex } from '../../src/common/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { OLD_KEY_GRACE_MS } from '../../src/sealing/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { until } from '../fixtures/until.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'

describe('scenario: every node replaces its sealing key three times, the owner is off, and the provider is lost', () => {
  let mesh: Mesh
  let laterMs = 0
  before(async function () {
    this.timeout(60_000)
    mesh = await createMesh(6, {}, { now: () => Date.now() + laterMs })
  })
  after(() => mesh?.close())

  it('the manifest comes back on another node from shares that were sealed anew, the keys of before destroyed', async function () {
    this.timeout(60_000)
    // given: the owner says what is to run, and is not heard of any more
    const client = await mesh.client(0)
    const [result] = await client.apply(parseManifests(toYaml(deployment({ name: 'web', replicas: 1 }))))
    const provider = mesh.nodes.find(({ peerId }) => peerId === result!.placements[0]!.peerId)!
    const others = mesh.nodes.filter((node) => node !== provider)

    // the nearest keeper gives it to the others
    await until('until they keep it', () => {
      const kept = others.flatMap(({ services }) => services.scheduler.kept())
      return kept.length >= 5 ? true : undefined
    })

    // when
    for (let time = 0; time < 3; time++) {
      await Promise.all(mesh.nodes.map((node) => node.sealing.rotate()))
      laterMs += OLD_KEY_GRACE_MS
      await Promise.all(mesh.nodes.map((node) => node.sealing.round()))
    }
    for (const { services } of mesh.nodes) expect(services.members.self().sealingEpoch).to.equal(4)
    const own = others.flatMap(({ services }) =>
      services.scheduler.kept().flatMap(({ bundle }) => {
        const self = toHex(services.members.self().publicKey)
        return bundle.sealedShares.filter(({ recipient }) => toHex(recipient) === self)
      })
    )
    expect(own.length).to.be.at.least(3)
    expect(own.map(({ sealingEpoch }) => sealingEpoch)).to.deep.equal(own.map(() => 4))
    await provider.stop()

    // then
    const heir = await until(
      'until another node runs it',
      () =>
        others.find(({ services }) =>
          services.workloads
            .list()
            .some(({ workloads }) => workloads.some(({ state }) => state === 'running'))
        ),
      { deadlineMs: 30_000 }
    )
    const [held] = heir.services.workloads.list()
    expect(held).to.include({ name: 'web', kind: 'Deployment' })
    expect(held!.content!.sealedKey.sealingEpoch).to.equal(4)
  })
})
