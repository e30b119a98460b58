import { expect } from 'chai'
import { parseManifests, resolvePolicy } from '../../src/manifest/index.ts'
import { admit, sameLimits } from '../../src/workloads/accept/admit.ts'
import { WorkloadsError } from '../../src/workloads/index.ts'

/** A Pod of this many containers, each with five things that strict forbids. */
function pod(containers: number, name = 'c') {
  return parseManifests(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web' },
      spec: {
        containers: Array.from({ length: containers }, (_, index) => ({
          name: `${name}${index}`,
          image: 'localhost/a:1'
        }))
      }
    })
  )[0]!
}

describe('workloads: admission', () => {
  const owner = 'somebody'

  it('lists at most five things in the message, and all of them in the details as far as they fit an answer', () => {
    const policyFor = () => resolvePolicy('strict', 'policy.others')
    for (const [containers, total, listed] of [
      [1, 5, 5],
      [8, 40, 40]
    ] as const) {
      let thrown: unknown
      try {
        admit({ policyFor }, pod(containers), { owner, copies: 1 })
      } catch (error) {
        thrown = error
      }
      expect(thrown).to.be.instanceOf(WorkloadsError)
      const { code, message, details } = thrown as WorkloadsError
      expect(code).to.equal('POLICY_REFUSED')
      expect(message.split('\n').length).to.be.at.most(7)
      expect(details).to.include({ preset: 'strict', total })
      expect(details.violations).to.have.length(listed)
      expect(Buffer.byteLength(JSON.stringify(details)), 'an ErrorReply drops larger ones').to.be.below(8_000)
    }
  })

  it('cuts details that would not fit an answer, and still says how many there are', () => {
    const overrides = {
      registries: Array.from({ length: 5 }, (_, index) => `r${index}.${'x'.repeat(200)}.test`)
    }
    const policyFor = () => resolvePolicy({ preset: 'strict', overrides })
    let thrown: unknown
    try {
      admit({ policyFor }, pod(8), { owner, copies: 1 })
    } catch (error) {
      thrown = error
    }
    const { details } = thrown as WorkloadsError
    expect(details.total).to.equal(48)
    expect(details.violations).to.have.length.within(1, 47)
    expect(Buffer.byteLength(JSON.stringify(details))).to.be.below(8_000)
  })

  it('asks for the policy of that owner, and lets everything pass where there is none', () => {
    const asked: string[] = []
    const policyFor = (peerId: string) => {
      asked.push(peerId)
      return resolvePolicy('open')
    }
    const manifest = pod(1)
    const unchanged = { manifest, defaultLimits: {} }
    expect(admit({ policyFor }, manifest, { owner, copies: 1 })).to.deep.equal(unchanged)
    expect(asked).to.deep.equal([owner])
    expect(admit({}, manifest, { owner, copies: 1 })).to.deep.equal(unchanged)
  })

  it('tells limits apart by their values, not by their order, and none from an empty list not at all', () => {
    const a = { defaultLimits: { cpuMillis: 1, pids: 2 } }
    expect(sameLimits(a, { defaultLimits: { pids: 2, cpuMillis: 1 } })).to.equal(true)
    expect(sameLimits(a, { defaultLimits: { pids: 2 } })).to.equal(false)
    expect(sameLimits({}, { defaultLimits: {} })).to.equal(true)
  })
})
