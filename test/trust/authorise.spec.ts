import { expect } from 'chai'
import { generateSigningKey } from '../../src/identity/index.ts'
import { ACTIONS, authorise, ownersOnly } from '../../src/trust/index.ts'
import { OWNER_PROTOCOLS } from '../../src/wire/index.ts'

const owner = generateSigningKey().peerId
const stranger = generateSigningKey().peerId

describe('trust: authorise', () => {
  it('allows an owner every action and names the rule', () => {
    for (const action of ACTIONS)
      expect(authorise({ author: owner, action }, ownersOnly(new Set([owner])))).to.deep.equal({
        allowed: true,
        rule: 'owners-file'
      })
  })

  it('refuses a stranger every action but to show grants, and says who, what and how to allow it', () => {
    for (const action of ACTIONS.filter((one) => one !== 'present')) {
      const decision = authorise({ author: stranger, action }, ownersOnly(new Set([owner])))
      if (decision.allowed) expect.fail(`${action} was allowed`)
      expect(decision.reason).to.include(stranger).and.to.include(action)
      expect(decision.hint).to.include(`--owner ${stranger}`)
    }
  })

  it('refuses everybody when there is no owner', () => {
    expect(authorise({ author: owner, action: 'status' }, ownersOnly(new Set())).allowed).to.equal(false)
  })

  it('has an action for every protocol of owners, so that none is without a decision', () => {
    for (const name of Object.keys(OWNER_PROTOCOLS)) expect(ACTIONS).to.include(name)
  })
})
