import { REPLACED_MS } from './mesh/deadlines.ts'
import { during } from './mesh/patience.ts'
import { story } from './mesh/use-thirty.ts'

/** Long enough for a wrong belief to be acted on: a silent member is dead after 8.7 s, a keeper looks every 2 s, a start. Three times over. */
const WATCHED_MS = 40_000

story('keepers do not see those who run it, though others see both: nothing is moved', async (mesh, say) => {
  // given
  const web = await mesh.given(3)
  const runners = mesh.runnersOf(web.id)
  const names = (machines: readonly { name: string }[]) => machines.map(({ name }) => name)
  const keepers = web.keepers.filter((one) => !runners.includes(one))
  const before = names(runners).sort()
  say(mesh.describe(web))
  // when
  mesh.links.cut(names(keepers), before)
  mesh.links.cut(before, before)
  // then
  await during(WATCHED_MS, () => {
    const now = mesh.copiesOf(web.id).map(({ machine }) => machine)
    return now.sort().join() === before.join() ? undefined : `it runs on ${now}`
  })
  say(`for ${WATCHED_MS} ms nobody was taken for dead`)
  // when
  const victim = mesh.nodes.find((node) => runners.includes(node))!
  victim.kill()
  // then
  say(`${victim.name} is killed; replaced after ${await mesh.replaced(web.id, 3, REPLACED_MS)} ms`)
  mesh.links.heal()
  await mesh.start(victim)
})
