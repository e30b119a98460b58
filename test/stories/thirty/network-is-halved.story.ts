import { REPLACED_MS, SETTLE_MS } from './mesh/deadlines.ts'
import { type Machine, NodeMachine } from './mesh/machine.ts'
import { eventually } from './mesh/patience.ts'
import { story } from './mesh/use-thirty.ts'

story('the network is halved and healed: each half tops up, and the surplus goes', async (mesh, say) => {
  // given
  const web = await mesh.given(4)
  const db = await mesh.givenFenced(mesh.outside.name)
  const parties = new Set<Machine>([...mesh.runnersOf(web.id), ...web.keepers, ...mesh.machines])
  const halves = [new Set<Machine>(), new Set<Machine>()] as const
  // runners and keepers on both sides, so that both can act
  for (const [index, machine] of [...parties].entries()) halves[index % 2]!.add(machine)
  const [left, right] = halves.map((half) => [...half].map(({ name }) => name)) as [string[], string[]]
  say(mesh.describe(web))
  say(`cut: ${left} | ${right}`)
  // when
  mesh.links.cut(left, right)
  // then
  for (const half of halves)
    say(`a half has 4 copies after ${await mesh.replaced(web.id, 4, REPLACED_MS, (one) => half.has(one))} ms`)
  // when
  const entry = [...halves[1]].find((one) => one instanceof NodeMachine)!
  const later = await mesh.given(3, { entry })
  say(`applied in one half meanwhile: ${mesh.describe(later)}`)
  await mesh.heal(left, right)
  say(`healed; everybody sees everybody after ${await mesh.whole()} ms`)
  // then
  const tookMs = await eventually('the surplus is drained', SETTLE_MS, () =>
    mesh.copiesOf(web.id).length === 4 ? undefined : `${mesh.copiesOf(web.id).length} copies`
  )
  say(`the surplus is gone after ${tookMs} ms; ${mesh.describe(db)}`)
})
