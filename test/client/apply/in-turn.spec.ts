import { expect } from 'chai'
import { inTurn } from '../../../src/client/apply/in-turn.ts'

describe('client: nodes one after the other', () => {
  interface Step {
    readonly name: string
    readonly weight: number
    readonly fails?: boolean
  }
  const run = async (steps: readonly Step[], pace: number) => {
    const told: string[] = []
    let underway = 0
    let most = 0
    const results = await inTurn(steps, {
      pace,
      weightOf: ({ weight }) => weight,
      hasFailed: ({ fails }: Step) => fails === true,
      act: async (step) => {
        underway += Math.min(step.weight, pace)
        most = Math.max(most, underway)
        told.push(`+${step.name}`)
        await new Promise((resolve) => setImmediate(resolve))
        told.push(`-${step.name}`)
        underway -= Math.min(step.weight, pace)
        return step
      }
    })
    return { told: told.join(' '), most, results: results.map(({ name }) => name).join('') }
  }

  it('never has more copies under way than the pace', async () => {
    const steps = [1, 2, 1, 3, 1].map((weight, index) => ({ name: 'abcde'[index]!, weight }))
    expect(await run(steps, 2)).to.include({ most: 2, results: 'abcde' })
    expect((await run(steps, 1)).told).to.equal('+a -a +b -b +c -c +d -d +e -e')
    expect((await run(steps, Number.POSITIVE_INFINITY)).told).to.match(/^\+a \+b \+c \+d \+e /)
  })

  it('begins none after a failure, and waits for those under way', async () => {
    const steps = [
      { name: 'a', weight: 1, fails: true },
      { name: 'b', weight: 1 },
      { name: 'c', weight: 1 },
      { name: 'd', weight: 0 }
    ]
    expect((await run(steps, 2)).told).to.match(/^\+a \+b -a -b$/)
  })

  it('comes to nodes that run nothing yet last, and to all of them at once', async () => {
    const steps = [
      { name: 'x', weight: 0 },
      { name: 'y', weight: 0 },
      { name: 'a', weight: 1 }
    ]
    expect((await run(steps, 1)).told).to.equal('+a -a +x +y -x -y')
  })
})
