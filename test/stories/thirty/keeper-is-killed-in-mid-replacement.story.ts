import { REPLACED_MS } from './mesh/deadlines.ts'
import type { NodeMachine } from './mesh/machine.ts'
import { story } from './mesh/use-thirty.ts'

story(
  'the keeper that acts is killed: at its decision, and while the copy starts; the next one goes on',
  async (mesh, say) => {
    // given
    const web = await mesh.given(3)
    say(mesh.describe(web))
    for (const when of ['at its decision', 'while the copy starts'] as const) {
      const runners = mesh.runnersOf(web.id)
      const isFree = (node: NodeMachine) => node.state === 'up'
      const keeper = mesh.nodes.find((node) => node === web.keepers.find((one) => one.state === 'up'))!
      const victim = mesh.nodes.find((node) => isFree(node) && runners.includes(node) && node !== keeper)!
      // when
      const killed = when === 'at its decision' ? afterDeath(keeper, victim) : mesh.taken([victim, keeper])
      await mesh.powerOff(victim)
      await killed
      keeper.kill()
      // then
      say(`${victim.name} is without power, ${keeper.name} killed ${when}`)
      say(`replaced after ${await mesh.replaced(web.id, 3, REPLACED_MS)} ms`)
      await mesh.powerOn(victim)
      await mesh.start(keeper)
      await mesh.settled()
    }
  }
)

/** The keeper has just found that a member is dead. */
function afterDeath(keeper: NodeMachine, victim: NodeMachine): Promise<void> {
  const { members } = keeper.node.services
  return new Promise((resolve) => {
    const onDead = ({ detail }: CustomEvent<{ peerId: string }>) => {
      if (detail.peerId !== victim.peerId) return
      members.removeEventListener('member:dead', onDead)
      resolve()
    }
    members.addEventListener('member:dead', onDead)
  })
}
