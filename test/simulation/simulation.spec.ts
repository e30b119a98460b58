import { expect } from 'chai'
import { execa } from 'execa'
import { simulate } from './simulate.ts'

/** So that a busy machine with two cores is done in some 15 s; `npm run chaos` goes on for as long as asked. */
const CHAOS_MS = 40_000
const again = (seed: number, nodes: number) => `again with: npm run chaos -- --seed ${seed} --nodes ${nodes}`

/** In a process of its own, because what other specs left behind here would draw from the same random numbers. */
async function runAlone(seed: number): Promise<Simulated> {
  const file = new URL('./simulate.ts', import.meta.url).href
  const script = `const { simulate } = await import('${file}')
    console.log(JSON.stringify(await simulate({ seed: ${seed}, nodes: 5, chaosMs: ${CHAOS_MS} })))`
  const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script])
  return JSON.parse(stdout) as Simulated
}
type Simulated = Awaited<ReturnType<typeof simulate>>

describe('simulation', function () {
  this.timeout(60_000)

  it('the same seed gives the same run, event by event', async () => {
    const [first, second, other] = await Promise.all([11, 11, 12].map(runAlone))
    expect(second).to.deep.equal(first)
    expect(other!.digest).to.not.equal(first!.digest)
  })

  for (const [seed, nodes] of [
    [3, 3],
    [71, 10]
  ] as const)
    it(`nothing goes wrong, and every copy is started once: ${nodes} nodes, seed ${seed}`, async () => {
      const { broken, applies } = await simulate({ seed, nodes, calm: true, chaosMs: CHAOS_MS })
      expect(broken, `${again(seed, nodes)} --calm`).to.deep.equal([])
      expect(applies).to.be.greaterThan(1)
    })

  // what they showed once: a copy that a full disk did not take, two keepers that act at once, a rollout that was under way at a power cut,
  // an older copy elsewhere that hid who was starting the newest, a node that had its key only when another had begun
  for (const [seed, nodes] of [
    [40001, 2],
    [42395, 4],
    [40338, 3],
    [40065, 2],
    [60203, 4]
  ] as const)
    it(`things went wrong once: ${nodes} nodes, seed ${seed}`, async () => {
      const { broken } = await simulate({ seed, nodes, servicesOnly: true })
      expect(broken, `${again(seed, nodes)} --services`).to.deep.equal([])
    })

  // an apply and a delete that no disk had taken, a fenced copy that ran twice after its deletion, a restart on a full disk that ended the node,
  // a Job that a full disk stopped for good, a copy too many that was started again after a power cut,
  // two tries of a CronJob's runs with one name,
  // a rollout that was resumed for a copy that another node had been given,
  // two nodes of which each had a minority of the fence keepers, two keepers that scaled by their own decisions,
  // an update that a copy too many on another node held up, a Job whose pod the engine failed to start when its node was back
  for (const [seed, nodes] of [
    [2009, 2],
    [100000, 1],
    [100408, 1],
    [300008, 1],
    [200400, 1],
    [500003, 4],
    [900922, 3],
    [1000212, 5],
    [1000260, 5],
    [1000053, 7],
    [1400162, 3]
  ] as const)
    it(`things went wrong once, with Jobs and what is scaled: ${nodes} nodes, seed ${seed}`, async () => {
      const { broken } = await simulate({ seed, nodes })
      expect(broken, again(seed, nodes)).to.deep.equal([])
    })

  for (const [seed, nodes] of [
    [3, 1],
    [2, 2],
    [5, 3],
    [75, 3],
    [12, 4],
    [61, 5],
    [45, 5],
    [21, 7],
    [139, 10],
    [30, 30]
  ] as const)
    it(`things go wrong, and what must hold holds: ${nodes} nodes, seed ${seed}`, async () => {
      const { broken, faults } = await simulate({ seed, nodes, chaosMs: CHAOS_MS })
      expect(broken, `${again(seed, nodes)} --chaos ${CHAOS_MS}`).to.deep.equal([])
      expect(Object.keys(faults)).to.not.deep.equal([])
    })
})
