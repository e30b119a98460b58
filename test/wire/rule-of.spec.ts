import { expect } from 'chai'
import { TrustError } from '../../src/trust/index.ts'
import { ruleOf } from '../../src/wire/doors/rule-of.ts'
import { WorkloadsError } from '../../src/workloads/errors.ts'

describe('wire: which rule refused', () => {
  it('names the rule of a decision', () => {
    expect(ruleOf(new TrustError('NOT_AUTHORISED', 'no', { details: { rule: 'owners-file' } }))).to.equal(
      'owners-file'
    )
  })

  it('names each rule of a policy once, and nothing of what they were about', () => {
    const violations = ['hostPorts', 'hostPorts', 'runAsNonRoot'].map((rule) => ({
      path: 'spec.secret',
      rule,
      message: 'x'
    }))
    expect(ruleOf(new WorkloadsError('POLICY_REFUSED', 'no', { details: { violations } }))).to.equal(
      'hostPorts runAsNonRoot'
    )
  })

  it('names none where there is none, or where it is no name of ours', () => {
    for (const details of [
      {},
      { rule: 7 },
      { rule: 'a\u001b[31m' },
      { rule: 'hunter2 hunter2' },
      { violations: [null, {}] }
    ])
      expect(ruleOf(new WorkloadsError('RECORD_INVALID', 'no', { details }))).to.equal(undefined)
    expect(ruleOf(new SyntaxError('x'))).to.equal(undefined)
  })
})
