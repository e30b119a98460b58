import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { generateSigningKey, openNetwork } from '../../src/identity/index.ts'
import { MAX_STATEMENT_BYTES, STATEMENT_INTERVAL_MS } from '../../src/members/constants.ts'
import { openNodeStatement, type SelfDescription } from '../../src/members/index.ts'
import { OwnStatement } from '../../src/members/own-statement.ts'
import { signMembership } from '../../src/trust/index.ts'

describe('members: what a node says of itself', () => {
  const network = openNetwork('own')
  const key = generateSigningKey()
  let nowMs: number
  let idle: boolean
  let addresses: string[]
  let described: Partial<SelfDescription>
  let own: OwnStatement

  beforeEach(() => {
    nowMs = 1_800_000_000_000
    idle = false
    addresses = ['/ip4/192.0.2.1/tcp/4001']
    described = {}
    own = new OwnStatement({
      key,
      networkId: network.id,
      now: () => nowMs,
      addressManager: { getAddresses: () => addresses.map((address) => multiaddr(address)) } as never,
      describe: () => ({
        name: 'n',
        labels: {},
        engines: [],
        version: '1',
        bootId: new Uint8Array(16),
        scheduling: true,
        idle,
        sealingKey: new Uint8Array(1216),
        sealingEpoch: 1,
        memberships: [],
        ...described
      })
    })
  })
  const opened = () => openNodeStatement(own.bytes, { networkId: network.id, nowMs })

  it('stays the same while nothing changes, and is outdated when it is old or its idleness changed', () => {
    const first = own.bytes
    nowMs += STATEMENT_INTERVAL_MS - 1
    expect(own.bytes).to.equal(first)
    expect(own.isOutdated()).to.equal(false)
    idle = true
    expect(own.isOutdated()).to.equal(true)
    own.renew()
    expect(own.isOutdated()).to.equal(false)
    nowMs += STATEMENT_INTERVAL_MS + 1
    expect(own.isOutdated()).to.equal(true)
  })

  // found by a story on machines: others took it for gone until its clock had passed its goodbye
  it('is newer than its last word before a restart, though the clock is behind by now', () => {
    const goodbyeMs = nowMs + 20_000
    const before = opened().issuedAtMs
    expect(own.outrun(before), 'known here').to.equal(false)
    expect(own.outrun(goodbyeMs)).to.equal(true)
    own.renew()
    expect(opened().issuedAtMs).to.equal(goodbyeMs + 1)
    own.renew()
    expect(opened().issuedAtMs).to.be.greaterThan(goodbyeMs + 1)
    nowMs += 25_000
    own.renew()
    expect(opened().issuedAtMs, 'and goes by the clock when that has caught up').to.equal(nowMs)
  })

  it('leaves out addresses, then memberships, rather than be too large for others to take', () => {
    addresses = Array.from(
      { length: 16 },
      (_, index) => `/dns4/${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example/tcp/${4000 + index}`
    )
    const context = { subject: key.publicKey, networkId: network.id, nowMs }
    described = {
      labels: Object.fromEntries(
        Array.from({ length: 32 }, (_, index) => [`label-${index}`, 'v'.repeat(55)])
      ),
      memberships: Array.from({ length: 8 }, () => signMembership(generateSigningKey(), context))
    }
    expect(own.bytes.byteLength).to.be.at.most(MAX_STATEMENT_BYTES)
    const said = opened()
    expect(said.addresses.length).to.be.within(1, 15)
    expect(said.addresses[0]).to.contain('/tcp/4000')
    expect(said.memberOf.length).to.be.at.least(1)
  })
})
