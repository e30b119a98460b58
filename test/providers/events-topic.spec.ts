import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { generateSigningKey, openNetwork } from '../../src/identity/index.ts'
import { eventsTopic } from '../../src/providers/announce/events-topic.ts'
import { GOSSIP_BUDGET, LEASE_MS } from '../../src/providers/constants.ts'
import { type ProviderView, signProviderStatement } from '../../src/providers/index.ts'
import { HOSTILE_BUDGET } from '../../src/wire/conduct/conduct.ts'
import { Conduct } from '../../src/wire/index.ts'
import { quietLogger } from '../fixtures/quiet-logger.ts'

describe('providers: what is taken from gossip', () => {
  const network = openNetwork('gossip')
  const [author, other, stranger] = [generateSigningKey(), generateSigningKey(), generateSigningKey()]
  const members = new Set([author.peerId, other.peerId])
  const manifestId = new Uint8Array(36).fill(1)
  let nowMs: number
  let taken: ProviderView[]
  let hostile: number
  let refused: string[]
  let gossip: ReturnType<typeof eventsTopic>

  beforeEach(() => {
    nowMs = 1_800_000_000_000
    taken = []
    hostile = 0
    refused = []
    const registerCounterGroup = (name: string) => ({
      increment: (values: object) =>
        void (name === 'beemesh_refused_total' && refused.push(...Object.keys(values)))
    })
    const disconnect = async () => void hostile++
    const metrics = { registerCounterGroup } as never
    const now = () => nowMs
    gossip = eventsTopic({
      network,
      now,
      log: quietLogger,
      isMember: (peerId) => members.has(peerId),
      take: (view) => taken.push(view) > 0,
      conduct: new Conduct({ now, host: { disconnect, metrics } })
    })
  })

  const statement = (key = author, networkId = network.id) =>
    signProviderStatement(
      manifestId,
      { version: 1, workloads: [] },
      { key, networkId, nowMs, nodeName: 'n', bootId: new Uint8Array(16) }
    )
  const judge = (data: Uint8Array, from = author) =>
    gossip.judge(peerIdFromString(other.peerId), { data, from: peerIdFromString(from.peerId) })

  it('is what a member says of itself, now', () => {
    expect(judge(statement())).to.equal('accept')
    expect(taken.map(({ peerId }) => peerId)).to.deep.equal([author.peerId])
    expect(refused).to.deep.equal([])
  })

  it('is not what a stranger says, nor what is too old or too much; the neighbour is not to blame', () => {
    expect(judge(statement(stranger), stranger)).to.equal('ignore')
    const old = statement()
    nowMs += LEASE_MS + 31_000
    expect(judge(old)).to.equal('ignore')
    const verdicts = Array.from({ length: GOSSIP_BUDGET.burst + 10 }, () => judge(statement()))
    expect(verdicts.at(-1)).to.equal('ignore')
    expect(new Set(refused)).to.deep.equal(
      new Set(['events:unknown_author', 'events:provider_statement_invalid', 'events:too_many'])
    )
    expect(hostile).to.equal(0)
  })

  it('is not what is malformed, forged, oversized or of another network; the neighbour that goes on with it is let go', () => {
    const flipped = statement()
    flipped[flipped.byteLength - 20]! ^= 1
    const bad: [Uint8Array, string][] = [
      [new Uint8Array(64 * 1024), 'too_large'],
      [new Uint8Array(100), 'message_malformed'],
      [new Uint8Array(), 'message_malformed'],
      [statement(other), 'wrong_author'],
      [statement(author, openNetwork('another').id), 'signature_invalid']
    ]
    for (const [data, reason] of bad) {
      expect(judge(data), reason).to.equal('reject')
      expect(refused.at(-1)).to.equal(`events:${reason}`)
    }
    expect(judge(flipped)).to.equal('reject')
    expect(gossip.judge(peerIdFromString(other.peerId), { data: statement() })).to.equal('reject')
    expect(taken).to.deep.equal([])
    for (let count = 0; count < HOSTILE_BUDGET.burst; count++) judge(new Uint8Array(10))
    expect(hostile).to.be.above(0)
  })
})
