import { expect } from 'chai'
import { eventually } from './mesh/patience.ts'
import { story } from './mesh/use-thirty.ts'

/** A node that starts dials its bootstrap nodes at once, is told of the others, and dials those, four at a time. Measured below 3 s. */
const BACK_MS = 30_000
const COPIES = 5

story('every node is restarted, one after the other: no copy stops for it', async (mesh, say) => {
  // given
  const web = await mesh.given(COPIES)
  say(mesh.describe(web))
  const before = mesh.copiesOf(web.id).map(({ machine }) => machine)
  let least = COPIES
  let slowest = 0
  // when
  for (const machine of mesh.machines) {
    await machine.stop()
    least = Math.min(least, mesh.copiesOf(web.id).length)
    await mesh.start(machine)
    const tookMs = await eventually(`${machine.name} is back`, BACK_MS, async () => {
      least = Math.min(least, mesh.copiesOf(web.id).length)
      const { neighbours } = await machine.knows()
      const missing = mesh.machines.length - 1 - neighbours.length
      return missing === 0 ? undefined : `it does not see ${missing} others`
    })
    slowest = Math.max(slowest, tookMs)
  }
  // then
  const after = mesh.copiesOf(web.id).map(({ machine }) => machine)
  say(
    `${mesh.machines.length} restarts, after ${slowest} ms at the latest each sees all others; never fewer than ${least} of ${COPIES}; moved: ${after.filter((one) => !before.includes(one)).join() || 'none'}`
  )
  expect(least).to.equal(COPIES)
})
