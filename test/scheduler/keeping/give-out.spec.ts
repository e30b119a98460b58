import { expect } from 'chai'
import { delay } from '../../../src/common/index.ts'
import { type GiveOut, giveOut } from '../../../src/scheduler/keeping/pushing/give-out.ts'
import type { Neighbour } from '../../../src/scheduler/types.ts'

const targets = ['a', 'b', 'c', 'd', 'e', 'f'].map((peerId) => ({ peerId }) as Neighbour)
const never = new Promise<never>(() => {})

/** Who was given it, in order. */
async function given(
  answers: Partial<Record<string, 'silent' | 'hangs' | 'refuses'>>,
  more: Partial<GiveOut> = {}
): Promise<string> {
  const asked: string[] = []
  await giveOut({ ...planOf(answers, asked), ...more })
  return asked.join('')
}

function planOf(answers: Parameters<typeof given>[0], asked: string[]): GiveOut {
  return {
    targets,
    must: () => false,
    enough: 3,
    give: async ({ peerId }) => {
      asked.push(peerId)
      const how = answers[peerId]
      if (how === 'hangs') return never
      if (how === 'silent') throw new Error('no answer')
      return how === 'refuses' ? { code: 'NOT_ALLOWED' } : {}
    },
    onAnswer: () => {},
    onSilent: () => {},
    signal: new AbortController().signal
  }
}

describe('scheduler: a version is given to its keepers', () => {
  it('to as many of the nearest as make it durable, and no more', async () => {
    expect(await given({})).to.equal('abc')
  })

  it('to the next ones for each that refuses or does not answer', async () => {
    expect(await given({ a: 'silent', c: 'refuses' })).to.equal('abcde')
  })

  it('to the next ones while one hangs, which nobody waits for', async () => {
    expect(await given({ b: 'hangs' })).to.equal('abcd')
  })

  it('also to those that must have it', async () => {
    expect(await given({}, { must: ({ peerId }) => peerId === 'f' })).to.equal('abcf')
  })

  it('and waits for those that have to be among them longer than for others, but not for who hangs then', async () => {
    let isWhole = false
    const plan = planOf({ c: 'hangs' }, [])
    const give: GiveOut['give'] = async (target) => {
      const answer = await plan.give(target)
      if (target.peerId !== 'f') return answer
      await delay(1_200) // above its patience
      isWhole = true
      return answer
    }
    const must = ({ peerId }: Neighbour) => peerId === 'f'
    await giveOut({
      ...plan,
      targets: targets.filter(({ peerId }) => 'acf'.includes(peerId)),
      must,
      give,
      isWhole: () => isWhole
    })
    expect(isWhole).to.equal(true)
  })

  it('and is taken for given when all were tried and one has it', async () => {
    const all = { b: 'silent', c: 'silent', d: 'silent', e: 'refuses', f: 'silent' } as const
    expect(await given(all)).to.equal('abcdef')
  })

  it('and tells how many have it, which may be nobody', async () => {
    const none = { a: 'silent', b: 'refuses', c: 'silent', d: 'silent', e: 'refuses', f: 'silent' } as const
    const count = (answers: Parameters<typeof given>[0]) => giveOut({ ...planOf(answers, []), enough: 3 })
    expect(await count({ b: 'refuses' })).to.equal(3)
    expect(await count({ ...none, e: undefined })).to.equal(1)
    expect(await count(none)).to.equal(0)
  })

  it('and fails with what an answer makes it fail with, and when it is given up', async () => {
    const stale = () => {
      throw new Error('stale')
    }
    expect(await given({}, { onAnswer: stale }).catch(String)).to.equal('Error: stale')
    const hang = { a: 'hangs', b: 'hangs', c: 'hangs', d: 'hangs', e: 'hangs', f: 'hangs' } as const
    const signal = AbortSignal.timeout(20)
    expect(await given(hang, { signal }).catch((error: Error) => error.name)).to.equal('TimeoutError')
  })
})
