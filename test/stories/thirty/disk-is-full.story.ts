import { expect } from 'chai'
import { deployment } from '../../fixtures/workload-files.ts'
import { REPLACED_MS } from './mesh/deadlines.ts'
import { story } from './mesh/use-thirty.ts'

story(
  'the disk of a node is full: it takes nothing, what it runs goes on, and others replace what it cannot',
  async (mesh, say) => {
    // given
    const { outside } = mesh
    const [a, b] = mesh.nodes.slice(1)
    const web = await mesh.given(3, { to: [outside.name, a!.name, b!.name] })
    say(mesh.describe(web))
    // when
    await outside.fillDisk(true)
    const name = mesh.freshName()
    const { placements } = await mesh.owner.apply(mesh.nodes[0]!.peerId, deployment({ name }), {
      to: [outside.name]
    })
    // then
    say(`it is asked to run ${name}: ${placements.map(({ error, state }) => error?.message ?? state)}`)
    expect(placements.every(({ error }) => error !== undefined)).to.equal(true)
    // when
    a!.kill()
    // then
    say(`${a!.name} is killed; replaced after ${await mesh.replaced(web.id, 3, REPLACED_MS)} ms`)
    await mesh.start(a!)
    // when
    await outside.fillDisk(false)
    // then
    const again = await mesh.given(1, { to: [outside.name] })
    say(`there is room again: ${mesh.describe(again)}`)
  }
)
