import { expect } from 'chai'
import fc from 'fast-check'
import {
  signingKeyFromSeed as generateFromSeed,
  generateSigningKey,
  openNetwork,
  type SigningKey
} from '../../src/identity/index.ts'
import {
  encodeChain,
  extendChain,
  type GrantInit,
  isUnder,
  openChain,
  proveInvite,
  signGrant,
  whyNot
} from '../../src/trust/index.ts'

const NOW_MS = 1_800_000_000_000
const HOUR_MS = 3_600_000
const network = openNetwork('grants')
const [root, lead, member, other] = Array.from({ length: 4 }, generateSigningKey) as [
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey
]
const context = { networkId: network.id, nowMs: NOW_MS }

function grant(by: SigningKey, to: SigningKey, init: Partial<GrantInit> = {}): Uint8Array {
  const terms = { actions: ['apply', 'logs'], notAfter: NOW_MS + HOUR_MS, ...init } as const
  return signGrant(by, { subject: to.publicKey, ...context, ...terms })
}
const open = (...grants: Uint8Array[]) => openChain(encodeChain(grants), context)
const expectInvalid = (act: () => unknown, words: string) =>
  expect(act).to.throw(words).with.property('code', 'GRANT_INVALID')

describe('trust: chains of grants', () => {
  const wide = { delegations: 2, namespaces: ['a', 'b'], registries: ['docker.io/library'] } as const

  it('lead from the root to the last subject, and give what the last link gives', () => {
    const first = grant(root, lead, { ...wide, quota: { workloads: 5 } })
    const second = grant(lead, member, {
      actions: ['logs'],
      namespaces: ['a'],
      registries: ['docker.io/library/nginx'],
      quota: { workloads: 2 }
    })
    const chain = open(first, second)
    expect(chain).to.include({ root: root.peerId, subject: member.peerId })
    expect(chain.terms.actions).to.deep.equal(['logs'])
    expect(chain.terms.quota.workloads).to.equal(2)
    expect(openChain(extendChain(first, second), context).links).to.have.lengthOf(2)
    expect(openChain(first, context).subject, 'a single grant is a chain').to.equal(lead.peerId)
  })

  it('break where a link is signed by somebody else than the one above is for', () => {
    expectInvalid(() => open(grant(root, lead, wide), grant(other, member)), 'somebody else')
  })

  const excesses: readonly [string, Partial<GrantInit>, Partial<GrantInit>][] = [
    ['actions', wide, { actions: ['exec'], namespaces: ['a'], registries: wide.registries }],
    ['namespaces', wide, { namespaces: ['c'], registries: wide.registries }],
    ['all namespaces', wide, { registries: wide.registries }],
    ['registries', wide, { namespaces: ['a'], registries: ['docker.io/libraryx'] }],
    ['a longer time', { delegations: 1 }, { notAfter: NOW_MS + 2 * HOUR_MS }],
    ['a quota above', { delegations: 1, quota: { memoryBytes: 10 } }, { quota: { memoryBytes: 11 } }],
    ['no quota', { delegations: 1, quota: { cpuMillis: 10 } }, {}],
    ['as many delegations', { delegations: 1 }, { delegations: 1 }],
    ['what was not to be passed on', { delegations: 0 }, {}]
  ]
  for (const [what, above, below] of excesses)
    it(`break where a link gives ${what} that the one above has not`, () => {
      expectInvalid(() => open(grant(root, lead, above), grant(lead, member, below)), 'gives more')
    })

  it('from one with admin may give every action', () => {
    const chain = open(
      grant(root, lead, { actions: ['admin'], delegations: 1 }),
      grant(lead, member, { actions: ['exec'] })
    )
    expect(chain.terms.actions).to.deep.equal(['exec'])
  })

  it('never give more at the end than anywhere above, whatever the links say', () => {
    const actions = fc.uniqueArray(fc.constantFrom('apply', 'delete', 'logs', 'exec', 'read'), {
      minLength: 1
    })
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'))
    const terms = fc.record({
      actions,
      namespaces: names,
      delegations: fc.integer({ min: 0, max: 3 }),
      quota: fc.record({ workloads: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }) }),
      notAfter: fc.integer({ min: NOW_MS + 1, max: NOW_MS + HOUR_MS })
    })
    let valid = 0
    fc.assert(
      fc.property(terms, terms, fc.boolean(), (one, other, isWithin) => {
        // half of them give no more than the first, or hardly any would be valid
        const within = {
          delegations: Math.max(0, one.delegations - 1),
          notAfter: Math.min(one.notAfter, other.notAfter)
        }
        const two = isWithin ? { ...one, ...within } : other
        let chain: ReturnType<typeof open>
        try {
          chain = open(grant(root, lead, one as never), grant(lead, member, two as never))
        } catch {
          return
        }
        valid++
        expect(one.actions).to.include.members([...chain.terms.actions] as never[])
        if (one.namespaces.length > 0) {
          expect(chain.terms.namespaces).not.to.deep.equal([])
          expect(one.namespaces).to.include.members([...chain.terms.namespaces])
        }
        expect(chain.terms.notAfter).to.be.at.most(one.notAfter)
        if (one.quota.workloads !== undefined)
          expect(chain.terms.quota.workloads).to.be.at.most(one.quota.workloads)
      }),
      { numRuns: 300 }
    )
    expect(valid, 'some are valid').to.be.above(50)
  }).timeout(20_000)

  it('are refused with one bit changed, of another network, empty, or too long', () => {
    const good = grant(root, lead)
    for (let at = 0; at < good.byteLength; at += 7) {
      const bad = good.slice()
      bad[at]! ^= 1
      expect(() => open(bad), `byte ${at}`).to.throw()
    }
    expect(() => openChain(good, { networkId: openNetwork('x').id })).to.throw()
    expectInvalid(() => open(), '0')
    expect(() => open(good, good, good, good, good)).to.throw()
  })

  it('under an invite need the proof of its key over the very node', () => {
    const seed = new Uint8Array(32).fill(9)
    const { publicKey: inviteKey } = generateFromSeed(seed)
    const invite = grant(root, lead, { actions: ['member'], delegations: 1, inviteKey })
    const proof = proveInvite(seed, member.publicKey, network.id)
    const below = (init: Partial<GrantInit>) => grant(lead, member, { actions: ['member'], ...init })
    expect(open(invite, below({ proof })).subject).to.equal(member.peerId)
    expectInvalid(() => open(invite, below({})), 'held the invite')
    const stolen = proveInvite(seed, other.publicKey, network.id)
    expectInvalid(() => open(invite, below({ proof: stolen })), 'held the invite')
    const foreign = proveInvite(seed, member.publicKey, openNetwork('x').id)
    expectInvalid(() => open(invite, below({ proof: foreign })), 'held the invite')
  })
})

describe('trust: whether a chain counts', () => {
  const state = { roots: new Set([root.peerId]), isRevoked: () => false, nowMs: NOW_MS }

  it('is so while every link holds, 30 s before its time for clocks that are behind', () => {
    const chain = open(grant(root, lead, { delegations: 1 }), grant(lead, member, { notAfter: NOW_MS + 5 }))
    expect(whyNot(chain, state)).to.equal(undefined)
    expect(whyNot(chain, { ...state, nowMs: NOW_MS - 29_000 })).to.equal(undefined)
    expect(whyNot(chain, { ...state, nowMs: NOW_MS - 31_000 })?.rule).to.equal('grant-time')
    expect(whyNot(chain, { ...state, nowMs: NOW_MS + 5 })?.rule).to.equal('grant-time')
  })

  it('is not so from a root nobody trusts, or when a link is revoked', () => {
    const chain = open(grant(root, lead, { delegations: 1 }), grant(lead, member))
    expect(whyNot(chain, { ...state, roots: new Set([lead.peerId]) })?.rule).to.equal('grant-root')
    const isRevoked = ({ id }: { id: string }) => id === chain.links[0]!.id
    expect(whyNot(chain, { ...state, isRevoked })?.rule).to.equal('grant-revoked')
  })
})

describe('trust: image prefixes', () => {
  it('are compared by whole parts', () => {
    expect(isUnder('docker.io/team/app', 'docker.io/team')).to.equal(true)
    expect(isUnder('docker.io/team/app', 'docker.io/team/')).to.equal(true)
    expect(isUnder('docker.io/team', 'docker.io/team/app')).to.equal(false)
    expect(isUnder('docker.io/teams/app', 'docker.io/team')).to.equal(false)
    expect(isUnder('docker.io.evil.test/team/app', 'docker.io')).to.equal(false)
  })
})
