import { REPLACED_MS } from './mesh/deadlines.ts'
import { story } from './mesh/use-thirty.ts'

/** Whoever had the lease must be dead: FENCE_HOLD_MS of 14 s, asked for again for up to 6 s more. */
const TAKEN_OVER_MS = REPLACED_MS + 20_000

story(
  'a node stands still and goes on: its copies are elsewhere, the fenced one never twice',
  async (mesh, say) => {
    // given
    const { outside } = mesh
    const [a, b] = mesh.nodes.slice(1)
    const web = await mesh.given(3, { to: [outside.name, a!.name, b!.name] })
    const db = await mesh.givenFenced(outside.name)
    say(mesh.describe(web))
    say(mesh.describe(db))
    // when
    outside.freeze()
    // then
    say(
      `${outside.name} stands still (SIGSTOP); replaced after ${await mesh.replaced(web.id, 3, REPLACED_MS)} ms`
    )
    say(`the fenced copy is taken over after ${await mesh.replaced(db.id, 1, TAKEN_OVER_MS)} ms more`)
    // when
    outside.resume()
    // then
    say('it goes on')
  }
)
