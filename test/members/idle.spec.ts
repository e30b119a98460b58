import { parseManifests } from '../../src/manifest/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { until } from '../fixtures/until.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'

describe('members: a node says whether it runs anything', () => {
  let mesh: Mesh
  before(async () => {
    mesh = await createMesh(2)
  })
  after(() => mesh?.close())

  it('is idle while it runs nothing, and busy for the others as soon as it takes on a workload', async () => {
    const [anna, bert] = mesh.nodes as [Mesh['nodes'][0], Mesh['nodes'][0]]
    const seen = () => anna.services.members.get(bert.peerId)?.idle
    bert.services.members.refresh()
    await until('until bert is idle', () => seen() || undefined)
    const client = await mesh.client(0)
    await client.apply(parseManifests(toYaml(deployment({ name: 'web' }))), { to: [bert.name] })
    await until('until bert is busy', () => seen() === false || undefined)
  })
})
