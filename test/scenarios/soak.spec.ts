import { expect } from 'chai'
import { soak } from '../../bench/soak-run.ts'

const MIB = 1024 * 1024

describe('scenario: nodes that join, crash, leave and come back at random', function () {
  this.timeout(120_000)

  it('all know the truth soon after it is quiet (npm run soak does it for longer)', async () => {
    const { answers, held } = await soak({ nodes: 5, durationMs: 6_000, seed: 7, say: () => {} })
    expect(answers).to.be.above(0)
    // too short to tell anything of growth: only that it can be read
    const survivor = held.find(({ name }) => name === 'n1')
    expect(survivor?.end.live).to.be.within(10 * MIB, survivor!.end.resident)
  })
})
