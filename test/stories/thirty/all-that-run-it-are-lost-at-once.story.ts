import { REPLACED_MS } from './mesh/deadlines.ts'
import { story } from './mesh/use-thirty.ts'

story(
  'all that run it lose power at once: the key is rebuilt from shares, and all copies are elsewhere',
  async (mesh, say) => {
    // given
    const web = await mesh.given(3)
    say(mesh.describe(web))
    const runners = mesh.runnersOf(web.id)
    // when
    await Promise.all(runners.map((machine) => mesh.powerOff(machine)))
    // then
    say(
      `without power: ${runners.map(({ name }) => name)}; replaced after ${await mesh.replaced(web.id, 3, REPLACED_MS)} ms`
    )
    for (const machine of runners) await mesh.powerOn(machine)
  }
)
