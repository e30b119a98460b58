import { REPLACED_MS } from './mesh/deadlines.ts'
import { story } from './mesh/use-thirty.ts'

story(
  'the owner and its node are gone: every machine that runs it is lost, one after the other, and nothing is missed',
  async (mesh, say) => {
    // given
    const web = await mesh.given(3)
    say(mesh.describe(web))
    const own = mesh.nodes[0]!
    const first = mesh.runnersOf(web.id).filter((machine) => machine !== own)
    // when
    await mesh.powerOff(own)
    for (const machine of first) {
      await mesh.powerOff(machine)
      // then
      say(
        `${machine.name} is without power; replaced after ${await mesh.replaced(web.id, 3, REPLACED_MS)} ms`
      )
    }
    say(mesh.describe(web))
    for (const machine of [own, ...first]) await mesh.powerOn(machine)
  }
)
