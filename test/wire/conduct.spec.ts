import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { generateSigningKey } from '../../src/identity/index.ts'
import {
  Conduct,
  HOSTILE_BUDGET,
  USELESS_BUDGET,
  USELESS_REQUEST_BUDGET
} from '../../src/wire/conduct/conduct.ts'
import { KNOCKING_BUDGET, KNOCKING_MS } from '../../src/wire/conduct/knocking.ts'
import { MAX_PENALTIES, PENALTY_MS, Penalties } from '../../src/wire/conduct/penalties.ts'

describe('conduct of neighbours', () => {
  const [bad, good] = [generateSigningKey(), generateSigningKey()].map(({ peerId }) =>
    peerIdFromString(peerId)
  )
  const at = { remoteAddr: multiaddr('/ip4/192.0.2.9/tcp/1') } as never
  let nowMs: number
  let sentAway: string[]
  let counted: Record<string, number>
  let conduct: Conduct

  beforeEach(() => {
    nowMs = 1_800_000_000_000
    sentAway = []
    counted = {}
    const registerCounterGroup = (name: string) => ({
      increment(values: Record<string, number>) {
        for (const [label, by] of Object.entries(values))
          counted[`${name} ${label}`] = (counted[`${name} ${label}`] ?? 0) + by
      }
    })
    const metrics = { registerCounterGroup } as never
    const disconnect = async (peer: object) => sentAway.push(String(peer))
    conduct = new Conduct({ now: () => nowMs, host: { disconnect, metrics } })
  })

  const times = (count: number, blame: 'hostile' | 'useless' | undefined, peer = bad) => {
    for (let index = 0; index < count; index++)
      conduct.refuse(peer, { door: 'lookup', reason: 'malformed', blame })
  }

  it('is tolerated up to a budget, smaller for what no honest node sends', () => {
    times(HOSTILE_BUDGET.burst, 'hostile')
    times(USELESS_BUDGET.burst, 'useless', good)
    expect(sentAway).to.deep.equal([])
    times(1, 'hostile')
    expect(sentAway).to.deep.equal([String(bad)])
    expect(conduct.isBanned(String(good))).to.equal(false)
    times(1, 'useless', good)
    expect(sentAway).to.deep.equal([String(bad), String(good)])
  })

  it('is tolerated less in requests at the doors, which nobody passes on, and not at all held against members there', () => {
    const request = { transport: String(bad), protocol: 'apply', code: 'WRONG_AUDIENCE' }
    for (let index = 0; index < USELESS_BUDGET.burst; index++) conduct.refuseRequest(request, () => true)
    for (let index = 0; index < USELESS_REQUEST_BUDGET.burst; index++)
      conduct.refuseRequest(request, () => false)
    expect(sentAway).to.deep.equal([])
    conduct.refuseRequest(request, () => false)
    expect(sentAway).to.deep.equal([String(bad)])
  })

  it('keeps whom it sent away out, in and out, until the time is over', () => {
    times(HOSTILE_BUDGET.burst + 1, 'hostile')
    expect(conduct.gater.denyInboundEncryptedConnection!(bad!, at)).to.equal(true)
    expect(conduct.gater.denyDialPeer!(bad!)).to.equal(true)
    expect(conduct.gater.denyInboundEncryptedConnection!(good!, at)).to.equal(false)
    nowMs += PENALTY_MS.first
    expect(conduct.gater.denyInboundEncryptedConnection!(bad!, at)).to.equal(false)
    times(10, 'hostile')
    expect(conduct.isBanned(String(bad)), 'at once when it goes on').to.equal(true)
  })

  it('lets few new connections in from where one comes back that was sent away, for a while; others as before', () => {
    const from = (address: string) => ({ remoteAddr: multiaddr(address) }) as never
    const here = from('/ip4/192.0.2.1/tcp/4001')
    const admitted = (where: never, tries = 100) =>
      Array.from({ length: tries }, () => conduct.gater.denyInboundConnection!(where)).filter(
        (denied) => !denied
      ).length
    expect(admitted(here)).to.equal(100)
    times(HOSTILE_BUDGET.burst + 1, 'hostile')
    expect(admitted(here), 'before it has come back').to.equal(100)

    expect(conduct.gater.denyInboundEncryptedConnection!(bad!, here)).to.equal(true)

    expect(admitted(here)).to.equal(KNOCKING_BUDGET.burst)
    expect(admitted(from('/ip4/192.0.2.2/tcp/4001'))).to.equal(100)
    expect(
      admitted(
        from('/ip4/192.0.2.1/tcp/1/p2p/12D3KooWQb4w4Xjty1Au7EACcxhHHHPYxheizNUHxDfxVCL1pqy2/p2p-circuit')
      )
    ).to.equal(100)
    nowMs += KNOCKING_MS
    expect(admitted(here)).to.equal(100)
  })

  it('is counted by door and reason, also where nobody is to blame', () => {
    times(3, undefined)
    conduct.refuse(undefined, { door: 'events', reason: 'too_many', blame: 'useless' })
    expect(counted).to.deep.equal({
      'beemesh_refused_total lookup:malformed': 3,
      'beemesh_refused_total events:too_many': 1
    })
    times(USELESS_BUDGET.burst * 2, undefined)
    expect(sentAway).to.deep.equal([])
    times(HOSTILE_BUDGET.burst + 5, 'hostile')
    expect(counted['beemesh_sent_away_total lookup']).to.equal(1)
    expect(sentAway.length, 'closed again for each that still comes in').to.equal(5)
  })
})

describe('nodes left alone', () => {
  let nowMs = 1_000_000
  const penalties = new Penalties(() => nowMs)

  it('stay so twice as long each time, up to a bound, until they are forgiven or it is long ago', () => {
    for (const expectedMs of [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
      penalties.strike('a')
      nowMs += expectedMs - 1
      expect(penalties.has('a'), `${expectedMs}`).to.equal(true)
      nowMs += 1
      expect(penalties.has('a'), `${expectedMs}`).to.equal(false)
    }
    nowMs += PENALTY_MS.last
    penalties.strike('a')
    nowMs += PENALTY_MS.first
    expect(penalties.has('a')).to.equal(false)
    penalties.strike('a')
    penalties.forgive('a')
    expect(penalties.has('a')).to.equal(false)
  })

  it('are remembered in a bounded number', () => {
    for (let index = 0; index <= MAX_PENALTIES; index++) penalties.strike(`p${index}`)
    expect(penalties.has('p0')).to.equal(false)
    expect(penalties.has('p1')).to.equal(true)
  })
})
