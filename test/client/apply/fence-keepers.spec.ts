import { expect } from 'chai'
import { toHex } from '../../../src/common/index.ts'
import { parseManifests } from '../../../src/manifest/index.ts'
import { createMesh, type Mesh } from '../../fixtures/create-mesh.ts'
import { until } from '../../fixtures/until.ts'
import { deployment, toYaml } from '../../fixtures/workload-files.ts'

// found by npm run chaos: of a manifest that was deleted while its node was cut off, and applied again elsewhere,
// a copy ran on both
describe('client: who lets a fenced copy run', function () {
  this.timeout(30_000)
  let mesh: Mesh
  before(async () => {
    mesh = await createMesh(2)
  })
  after(() => mesh?.close())

  /** As the newest record of the mesh says. */
  const keepers = () => {
    const all = mesh.nodes.flatMap(({ services }) => services.scheduler.kept())
    const newest = all.map(({ record }) => record).sort((a, b) => b.version - a.version)[0]!
    return newest.fenceKeepers.map(({ node }) => toHex(node))
  }
  const apply = async (options: { newFenceKeepers?: boolean } = {}) => {
    const annotations = { 'beemesh.io/on-partition': 'fence' }
    const client = await mesh.client(0)
    await client.apply(parseManifests(toYaml(deployment({ name: 'db', annotations }))), options)
    return keepers()
  }

  it('stays the same when it is deleted and applied again, in a mesh that has grown, until its owner says otherwise', async () => {
    const first = await apply()
    const client = await mesh.client(0)
    await client.delete('db')
    const deleted = keepers()
    await mesh.join()
    await until('until the new node is known as a member', async () =>
      (await client.nodes()).filter(({ member }) => member).length === 3 ? true : undefined
    )
    const second = await apply()
    const third = await apply({ newFenceKeepers: true })

    expect(first).to.have.length(1)
    expect([deleted, second]).to.deep.equal([first, first])
    expect(third).to.have.length(3)
  })
})
