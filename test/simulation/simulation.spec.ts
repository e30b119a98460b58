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

  for (const [seed, nodes] of [
    [7, 1],
    [208, 1],
    [2, 2],
    [914, 2],
    [5, 3],
    [75, 3],
    [655, 3],
    [12, 4],
    [739, 4],
    [61, 5],
    [45, 5],
    [841, 5],
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
