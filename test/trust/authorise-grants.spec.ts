import { expect } from 'chai'
import { generateSigningKey, openNetwork } from '../../src/identity/index.ts'
import {
  type Action,
  authorise,
  encodeChain,
  type GrantInit,
  isRevokedBy,
  openChain,
  openRevocation,
  signGrant,
  signRevocation,
  type TrustState
} from '../../src/trust/index.ts'

const NOW_MS = 1_800_000_000_000
const network = openNetwork('authorise')
const [owner, guest, stranger] = Array.from({ length: 3 }, generateSigningKey)
const context = { networkId: network.id, nowMs: NOW_MS }

function stateWith(...grants: Partial<GrantInit>[]): TrustState {
  const chains = grants.map((init) =>
    openChain(
      encodeChain([
        signGrant(owner!, {
          subject: guest!.publicKey,
          actions: ['apply'],
          notAfter: NOW_MS + 60_000,
          ...context,
          ...init
        })
      ]),
      context
    )
  )
  return {
    owners: new Set([owner!.peerId]),
    chainsOf: (author) => (author === guest!.peerId ? chains : []),
    isRevoked: () => false,
    nowMs: NOW_MS
  }
}
const ask = (action: Action, state: TrustState, about?: object) =>
  authorise({ author: guest!.peerId, action, about: about as never }, state)

describe('trust: what a grant lets its subject do', () => {
  it('is its actions; with any of them to see what there is', () => {
    const state = stateWith({ actions: ['logs'] })
    for (const action of ['logs', 'status', 'events', 'members', 'providers', 'forward'] as const)
      expect(ask(action, state).allowed, action).to.equal(true)
    for (const action of ['apply', 'delete', 'exec', 'grants'] as const)
      expect(ask(action, state), action).to.include({ allowed: false, rule: 'grant-action' })
  })

  it('is everything with admin, and nothing with mere membership', () => {
    for (const action of ['apply', 'delete', 'exec', 'grants', 'status'] as const)
      expect(ask(action, stateWith({ actions: ['admin'] })).allowed, action).to.equal(true)
    for (const action of ['apply', 'status', 'members', 'forward'] as const)
      expect(ask(action, stateWith({ actions: ['member'] })).allowed, action).to.equal(false)
  })

  it('is about the subject’s own manifests and the root’s, never a third one’s', () => {
    const state = stateWith({ actions: ['logs'] })
    const about = (peerId: string) => ({ owner: peerId, namespace: 'default' })
    expect(ask('logs', state, about(guest!.peerId)).allowed).to.equal(true)
    expect(ask('logs', state, about(owner!.peerId)).allowed).to.equal(true)
    expect(ask('logs', state, about(stranger!.peerId))).to.include({ rule: 'grant-owner' })
  })

  it('is bounded by namespace, images and quota, each named by its rule', () => {
    const state = stateWith({
      namespaces: ['team'],
      registries: ['docker.io/team'],
      quota: { cpuMillis: 1_000, memoryBytes: 1_000, storageBytes: 1_000, workloads: 3 }
    })
    const use = { cpuMillis: 1_000, memoryBytes: 1_000, storageBytes: 1_000, workloads: 3 }
    const about = { owner: guest!.peerId, namespace: 'team', images: ['docker.io/team/app'], use }
    expect(ask('apply', state, about).allowed).to.equal(true)
    expect(ask('apply', state, { ...about, namespace: 'default' })).to.include({ rule: 'grant-namespace' })
    expect(ask('apply', state, { ...about, images: ['docker.io/team/app', 'nginx'] })).to.include({
      rule: 'grant-registry'
    })
    for (const key of Object.keys(use)) {
      const more = { ...about, use: { ...use, [key]: 1_001 } }
      expect(ask('apply', state, more), key).to.include({ rule: 'grant-quota' })
    }
  })

  it('is what any of several grants gives, and the refusal says why none does', () => {
    const state = stateWith({ namespaces: ['a'] }, { namespaces: ['b'] })
    const about = (namespace: string) => ({ owner: guest!.peerId, namespace })
    expect(ask('apply', state, about('b')).allowed).to.equal(true)
    const refusal = ask('apply', state, about('c'))
    expect(refusal.allowed).to.equal(false)
    if (!refusal.allowed) expect(refusal.reason).to.contain('namespaces a').and.contain('namespaces b')
  })

  it('lets an owner into nobody else’s manifests', () => {
    const about = { owner: stranger!.peerId, namespace: 'default' }
    expect(authorise({ author: owner!.peerId, action: 'logs', about }, stateWith()).allowed).to.equal(false)
  })
})

describe('trust: revocations', () => {
  const bytes = (by = owner!, forgetAfter = NOW_MS + 60_000) =>
    signRevocation(by, { grant: 'ab'.repeat(32), forgetAfter, ...context })

  it('are read as they were signed, and refused when they ask to be kept for longer than a grant lives', () => {
    expect(openRevocation(bytes(), context)).to.include({
      author: owner!.peerId,
      grant: 'ab'.repeat(32),
      revokedAt: NOW_MS
    })
    const ages = NOW_MS + 6 * 365 * 24 * 3_600_000
    expect(() => openRevocation(bytes(owner, ages), context))
      .to.throw()
      .with.property('code', 'REVOCATION_INVALID')
    const bad = bytes()
    bad[bad.byteLength - 5]! ^= 1
    expect(() => openRevocation(bad, context)).to.throw()
  })

  it('count by the root and by whoever issued the link or one above, not by one below or aside', () => {
    const [lead, member] = [generateSigningKey(), generateSigningKey()]
    const terms = { actions: ['logs'], notAfter: NOW_MS + 60_000, ...context } as const
    const chain = openChain(
      encodeChain([
        signGrant(owner!, { subject: lead.publicKey, delegations: 2, ...terms }),
        signGrant(lead, { subject: member.publicKey, delegations: 1, ...terms }),
        signGrant(member, { subject: guest!.publicKey, ...terms })
      ]),
      context
    )
    const [first, second] = chain.links
    const by = (key: { peerId: string }) => new Set([key.peerId])
    expect(isRevokedBy(by(owner!), second!, chain)).to.equal(true)
    expect(isRevokedBy(by(lead), second!, chain)).to.equal(true)
    expect(isRevokedBy(by(member), second!, chain), 'the subject itself').to.equal(false)
    expect(isRevokedBy(by(lead), first!, chain), 'one below').to.equal(false)
    expect(isRevokedBy(by(stranger!), second!, chain)).to.equal(false)
    expect(isRevokedBy(undefined, second!, chain)).to.equal(false)
  })
})
