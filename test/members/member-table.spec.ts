import { expect } from 'chai'
import { generateSigningKey, openNetwork, type SigningKey } from '../../src/identity/index.ts'
import { STATEMENT_LIFETIME_MS } from '../../src/members/constants.ts'
import { signNodeStatement } from '../../src/members/index.ts'
import { MemberTable } from '../../src/members/member-table.ts'
import { signMembership } from '../../src/trust/index.ts'

const NOW_MS = 1_800_000_000_000
const network = openNetwork('test')
const owner = generateSigningKey()

function statementOf(
  key: SigningKey,
  {
    name = 'anna',
    nowMs = NOW_MS,
    networkId = network.id,
    memberships = [] as Uint8Array[],
    leaving = false,
    idle = false
  } = {}
) {
  const self = {
    name,
    memberships,
    idle,
    labels: { zone: 'a' },
    engines: ['mock'],
    version: '1.0.0',
    bootId: new Uint8Array(16),
    scheduling: true,
    sealingKey: new Uint8Array(1216),
    sealingEpoch: 1,
    addresses: ['/ip4/127.0.0.1/tcp/4001']
  }
  return signNodeStatement(self, { key, networkId, nowMs, leaving })
}

describe('members: the table', () => {
  let nowMs: number
  let table: MemberTable
  const anna = generateSigningKey()
  const bert = generateSigningKey()
  beforeEach(() => {
    nowMs = NOW_MS
    table = new MemberTable({ networkId: network.id, now: () => nowMs })
  })

  it('takes what is new and keeps the newest word of each node', () => {
    expect(table.merge(statementOf(anna, { name: 'first' }))).to.include({
      peerId: anna.peerId,
      name: 'first'
    })
    nowMs += 10
    expect(table.merge(statementOf(anna, { name: 'second', nowMs }))).to.include({ name: 'second' })
    expect(table.merge(statementOf(anna, { name: 'first' })), 'older').to.equal(undefined)
    expect(table.merge(statementOf(anna, { name: 'other', nowMs })), 'as old').to.equal(undefined)
    expect(table.get(anna.peerId)).to.include({ name: 'second' })
    expect(table.list()).to.have.length(1)
  })

  it('drops what is changed, of another network, or no statement at all', () => {
    const changed = statementOf(anna)
    const at = Buffer.from(changed).indexOf('anna')
    changed[at] = 'z'.charCodeAt(0)
    for (const [bad, code] of [
      [changed, 'SIGNATURE_INVALID'],
      [statementOf(anna, { networkId: openNetwork('other').id }), 'SIGNATURE_INVALID'],
      [new Uint8Array(40), 'MESSAGE_MALFORMED']
    ] as const)
      expect(() => table.merge(bad))
        .to.throw()
        .with.property('code', code)
    expect(table.list()).to.deep.equal([])
  })

  it('forgets a node when its statement has run out, and takes none from the future', () => {
    table.merge(statementOf(anna))
    table.merge(statementOf(bert, { nowMs: NOW_MS + 1_000 }))
    nowMs += STATEMENT_LIFETIME_MS
    expect(table.list().map(({ peerId }) => peerId)).to.deep.equal([bert.peerId])
    expect(table.get(anna.peerId)).to.equal(undefined)
    for (const one of [statementOf(anna), statementOf(anna, { nowMs: nowMs + 31_000 })])
      expect(() => table.merge(one))
        .to.throw()
        .with.property('code', 'STATEMENT_EXPIRED')
  })

  it('is bounded: a newcomer is refused, unless somebody has expired or is gone', () => {
    const [cyd, dora] = [generateSigningKey(), generateSigningKey()]
    const gone = new Set<string>()
    const dropped: string[] = []
    const small = new MemberTable({
      networkId: network.id,
      now: () => nowMs,
      max: 2,
      isGone: (peerId) => gone.has(peerId),
      onDropped: (peerId) => dropped.push(peerId)
    })
    small.merge(statementOf(anna))
    small.merge(statementOf(bert, { nowMs: NOW_MS + 1_000 }))
    expect(small.merge(statementOf(cyd)), 'full').to.equal(undefined)
    gone.add(bert.peerId)
    expect(small.merge(statementOf(cyd, { nowMs: NOW_MS + 1_000 }))).to.include({ peerId: cyd.peerId })
    nowMs += STATEMENT_LIFETIME_MS
    expect(small.merge(statementOf(dora, { nowMs }))).to.include({ peerId: dora.peerId })
    expect(dropped).to.deep.equal([bert.peerId, anna.peerId])
  })

  it('carries that a node leaves, or runs nothing, as far as its author says so', () => {
    expect(table.merge(statementOf(anna))).to.include({ leaving: false, idle: false, scheduling: true })
    expect(table.merge(statementOf(anna, { nowMs: NOW_MS + 1, leaving: true, idle: true }))).to.include({
      leaving: true,
      idle: true,
      scheduling: false
    })
  })

  it('says who made a node a member; a grant for another node does not count', () => {
    const context = { networkId: network.id, nowMs: NOW_MS }
    const own = signMembership(owner, { ...context, subject: anna.publicKey })
    const stolen = signMembership(owner, { ...context, subject: bert.publicKey })
    expect(table.merge(statementOf(anna, { memberships: [stolen, own] }))!.memberOf).to.deep.equal([
      owner.peerId
    ])
    expect(table.merge(statementOf(bert, { memberships: [own] }))!.memberOf).to.deep.equal([])
  })

  it('takes out of a name what could fool a terminal', () => {
    expect(table.merge(statementOf(anna, { name: 'a\u001b[2Jb\u202e' }))).to.include({ name: 'a[2Jb' })
  })
})
