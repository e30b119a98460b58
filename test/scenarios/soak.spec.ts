import { expect } from 'chai'
import { soak } from '../../bench/soak-run.ts'

describe('scenario: nodes that join, crash, leave and come back at random', function () {
  this.timeout(120_000)

  it('all know the truth soon after it is quiet (npm run soak does it for longer)', async () => {
    const { answers } = await soak({ nodes: 5, durationMs: 10_000, seed: 7, say: () => {} })
    expect(answers).to.be.above(0)
  })
})
