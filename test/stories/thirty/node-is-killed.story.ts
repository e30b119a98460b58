import { REPLACED_MS, SETTLE_MS } from './mesh/deadlines.ts'
import { eventually } from './mesh/patience.ts'
import { story } from './mesh/use-thirty.ts'

story(
  'a node is killed: its copy is started elsewhere, and when it is back one of the two is drained',
  async (mesh, say) => {
    // given
    const web = await mesh.given(3)
    const victim = mesh.runnersOf(web.id).find((one) => one !== mesh.outside && one !== mesh.nodes[0])!
    const killed = mesh.nodes.find(({ name }) => name === victim.name)!
    say(mesh.describe(web))
    // when
    killed.kill()
    // then
    say(`${killed.name} is killed; replaced after ${await mesh.replaced(web.id, 3, REPLACED_MS)} ms`)
    // when, because what it ran goes on and its node does not know yet
    await mesh.start(killed)
    // then
    const tookMs = await eventually('one of the two is drained', SETTLE_MS, () =>
      mesh.copiesOf(web.id).length === 3 ? undefined : `${mesh.copiesOf(web.id).length} copies`
    )
    say(`it is back; the copy too many is gone after ${tookMs} ms`)
  }
)
