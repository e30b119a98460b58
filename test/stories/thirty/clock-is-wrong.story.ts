import { REPLACED_MS } from './mesh/deadlines.ts'
import { story } from './mesh/use-thirty.ts'

/** Within what an envelope may be early (30 s), and a statement off. */
const SKEWS_MS = [-20_000, 20_000]

story(
  'the clock of a node is 20 s behind, and then ahead: it takes copies, gives them up and is replaced as any other',
  async (mesh, say) => {
    for (const skewMs of SKEWS_MS) {
      // given
      const { outside } = mesh
      await outside.stop()
      await mesh.start(outside, { skewMs })
      await mesh.whole()
      say(`${outside.name} is ${skewMs} ms ahead`)
      const [a, b] = mesh.nodes.slice(1)
      const web = await mesh.given(3, { to: [outside.name, a!.name, b!.name] })
      const db = await mesh.givenFenced(outside.name)
      // when
      a!.kill()
      // then
      say(`${a!.name} is killed; replaced after ${await mesh.replaced(web.id, 3, REPLACED_MS)} ms`)
      await mesh.start(a!)
      await mesh.settled()
      // when
      await mesh.powerOff(outside)
      // then
      say(
        `${outside.name} is without power; replaced after ${await mesh.replaced(web.id, 3, REPLACED_MS)} ms`
      )
      say(
        `the fenced copy is taken over after ${await mesh.replaced(db.id, 1, REPLACED_MS + 20_000)} ms more`
      )
      await mesh.powerOn(outside)
      await mesh.settled()
    }
  }
)
