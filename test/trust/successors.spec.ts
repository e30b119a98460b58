import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { addSuccessor, authorise, heirOf, ownersOnly, readSuccessors } from '../../src/trust/index.ts'

describe('successors of an owner', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'beemesh-heirs-'))
  })
  afterEach(() => rm(folder, { recursive: true }))
  const file = () => join(folder, 'successors')

  it('are found again, the last of several', async () => {
    const map = await readSuccessors(file())
    await addSuccessor(file(), map, { from: 'a', to: 'b' })
    await addSuccessor(file(), map, { from: 'b', to: 'c' })
    const again = await readSuccessors(file())

    expect([...again]).to.deep.equal([...map])
    expect(['a', 'b', 'c', 'd'].map((one) => heirOf(again, one))).to.deep.equal(['c', 'c', 'c', 'd'])
  })

  it('never go round in a circle, though somebody takes back what was his', async () => {
    const map = await readSuccessors(file())
    await addSuccessor(file(), map, { from: 'a', to: 'b' })
    await addSuccessor(file(), map, { from: 'b', to: 'a' })
    await addSuccessor(file(), map, { from: 'a', to: 'a' })

    expect(['a', 'b'].map((one) => heirOf(map, one))).to.deep.equal(['a', 'a'])
  })

  const trust = { ...ownersOnly(new Set(['new', 'other'])), successors: new Map([['old', 'new']]) }
  const about = { owner: 'old', namespace: 'default' }

  it('may do with what the one before runs what that one might, and nobody else may', () => {
    for (const action of ['status', 'logs', 'exec', 'delete', 'apply'] as const) {
      expect(authorise({ author: 'new', action, about }, trust).allowed, action).to.equal(true)
      expect(authorise({ author: 'other', action, about }, trust).allowed, action).to.equal(false)
      expect(authorise({ author: 'old', action, about }, trust).allowed, action).to.equal(false)
    }
    const back = { owner: 'new', namespace: 'default' }
    expect(authorise({ author: 'old', action: 'status', about: back }, trust).allowed).to.equal(false)
  })

  it('leave the key of before one thing: another node may be told of the new one through this one', () => {
    const asked = (action: 'trust' | 'apply', forwarding?: boolean) =>
      authorise({ author: 'old', action, forwarding }, trust)

    expect(asked('trust', true)).to.deep.equal({ allowed: true, rule: 'predecessor' })
    expect([asked('trust').allowed, asked('apply', true).allowed]).to.deep.equal([false, false])
    expect(authorise({ author: 'stranger', action: 'trust', forwarding: true }, trust).allowed).to.equal(
      false
    )
  })
})
