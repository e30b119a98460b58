import { expect } from 'chai'
import fc from 'fast-check'
import { Budget } from '../../src/wire/index.ts'

describe('wire: budget', () => {
  it('gives the burst at once, then what has been refilled', () => {
    let nowMs = 0
    const budget = new Budget({ burst: 3, perSecond: 2 }, () => nowMs)
    const takeAll = () => {
      let taken = 0
      while (budget.take('anna')) taken++
      return taken
    }
    expect(takeAll()).to.equal(3)
    nowMs += 499
    expect(takeAll()).to.equal(0)
    nowMs += 1
    expect(takeAll()).to.equal(1)
    nowMs += 3_600_000
    expect(takeAll(), 'never more than the burst').to.equal(3)
  })

  it('refuses cost nothing: whoever keeps asking gets its share all the same', () => {
    let nowMs = 0
    const budget = new Budget({ burst: 1, perSecond: 1 }, () => nowMs)
    let given = 0
    for (; nowMs < 10_000; nowMs += 100) if (budget.take('anna')) given++
    expect(given).to.equal(10)
  })

  it('does not let one sender use up what belongs to another', () => {
    const budget = new Budget({ burst: 1, perSecond: 1 }, () => 0)
    expect([budget.take('anna'), budget.take('anna'), budget.take('bert')]).to.deep.equal([true, false, true])
  })

  it('never gives more than burst and refill together, whatever the rhythm, also when the clock jumps back', () => {
    const rhythm = fc.array(fc.integer({ min: -50, max: 400 }), { maxLength: 200 })
    fc.assert(
      fc.property(
        rhythm,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 50 }),
        (steps, burst, perSecond) => {
          let nowMs = 1_000
          let forwardMs = 0
          const budget = new Budget({ burst, perSecond }, () => nowMs)
          let given = 0
          for (const step of steps) {
            nowMs += step
            forwardMs += Math.max(0, step)
            if (budget.take('anna')) given++
          }
          expect(given).to.be.at.most(burst + (forwardMs * perSecond) / 1000 + 1e-6)
        }
      ),
      { seed: 2026, numRuns: 300 }
    )
  })

  it('forgets the sender that was silent for longest when there are too many', () => {
    const budget = new Budget({ burst: 1, perSecond: 1 }, () => 0)
    expect(budget.take('first')).to.equal(true)
    for (let sender = 0; sender < 4_096; sender++) budget.take(String(sender))
    expect(budget.take('first'), 'forgetting only refills').to.equal(true)
    expect(budget.take('4095')).to.equal(false)
  })
})
