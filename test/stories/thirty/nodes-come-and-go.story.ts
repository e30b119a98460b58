import { deployment } from '../../fixtures/workload-files.ts'
import { dice } from '../../simulation/time/random.ts'
import type { Machine, NodeMachine } from './mesh/machine.ts'
import { story } from './mesh/use-thirty.ts'

const ACTIONS = 60
/** Machines that are away at one time, at most: a fifth of the mesh. */
const MOST_AWAY = 6
const NAMES = 4

story(
  'nodes come and go while manifests are applied, changed and deleted: in the end all is as signed',
  async (mesh, say) => {
    // given
    const seed = Number(process.env.SEED ?? Date.now() % 100_000)
    const random = dice(seed)
    const names = Array.from({ length: NAMES }, () => mesh.freshName())
    const done: Record<string, number> = {}
    const up = () => mesh.nodes.filter(({ state }) => state === 'up')
    const away = () => mesh.nodes.filter(({ state }) => state !== 'up')
    const entry = () => random.pick(up()).peerId
    const leave = (act: (machine: NodeMachine) => unknown) => async () => {
      if (away().length < MOST_AWAY) await act(random.pick(up()))
    }
    const back = (machine: Machine) => (machine.state === 'off' ? mesh.powerOn(machine) : mesh.start(machine))
    const acts: Record<string, () => Promise<unknown>> = {
      kill: leave((node) => node.kill()),
      stop: leave((node) => node.stop()),
      'power off': leave((node) => mesh.powerOff(node)),
      back: async () => away().length > 0 && back(random.pick(away())),
      'back again': async () => away().length > 0 && back(random.pick(away())),
      apply: () =>
        mesh.owner.apply(
          entry(),
          deployment({
            name: random.pick(names),
            replicas: random.whole(1, 5),
            image: `localhost/churn:${random.whole(1, 3)}`
          }),
          { signal: AbortSignal.timeout(20_000) }
        ),
      delete: () => mesh.owner.delete(entry(), random.pick(names))
    }
    say(`seed ${seed}`)
    // when
    for (let action = 0; action < ACTIONS; action++) {
      const what = random.pick(Object.keys(acts))
      // a request may fail because its nodes are away: what counts is what was acknowledged
      const failure = await acts[what]!().then(
        () => undefined,
        (error: Error) => error
      )
      const name = failure === undefined ? what : `${what} in vain`
      done[name] = (done[name] ?? 0) + 1
    }
    // then
    say(JSON.stringify(done))
    for (const machine of away()) await back(machine)
    await mesh.whole()
  }
)
