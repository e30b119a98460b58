import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { generateSigningKey, openNetwork, type SigningKey } from '../../src/identity/index.ts'
import { GOSSIP_BUDGET, NEWCOMER_BUDGET, STATEMENT_LIFETIME_MS } from '../../src/members/constants.ts'
import { signNodeStatement } from '../../src/members/index.ts'
import { MemberTable } from '../../src/members/member-table.ts'
import { membersTopic } from '../../src/members/spread/members-topic.ts'
import { HOSTILE_BUDGET, USELESS_BUDGET } from '../../src/wire/conduct/conduct.ts'
import { Conduct } from '../../src/wire/index.ts'
import { quietLogger } from '../fixtures/quiet-logger.ts'

describe('members: what is taken from gossip', () => {
  const network = openNetwork('members-topic')
  const [author, neighbour, another] = [generateSigningKey(), generateSigningKey(), generateSigningKey()]
  let nowMs: number
  let sentAway: string[]
  let table: MemberTable
  let topic: ReturnType<typeof membersTopic>

  beforeEach(() => {
    nowMs = 1_800_000_000_000
    sentAway = []
    const now = () => nowMs
    const disconnect = async (peer: object) => sentAway.push(String(peer))
    table = new MemberTable({ networkId: network.id, now })
    topic = membersTopic({
      network,
      table,
      now,
      log: quietLogger,
      take: (node) => table.take(node) !== undefined,
      conduct: new Conduct({ now, host: { disconnect } })
    })
  })

  const statement = (key = author, networkId = network.id) =>
    signNodeStatement(
      {
        name: 'n',
        labels: {},
        engines: [],
        version: '1',
        bootId: new Uint8Array(16),
        scheduling: true,
        sealingKey: new Uint8Array(1216),
        sealingEpoch: 1,
        memberships: [],
        addresses: []
      },
      { key, networkId, nowMs }
    )
  const judge = (data: Uint8Array, from: SigningKey = author, by: SigningKey = neighbour) =>
    topic.judge(peerIdFromString(by.peerId), { data, from: peerIdFromString(from.peerId) })

  it('is what a node says of itself, also one that nobody has heard of; older words go no further', () => {
    const old = statement()
    nowMs += 1_000
    expect(judge(statement())).to.equal('accept')
    expect(table.get(author.peerId)?.name).to.equal('n')
    expect(judge(old)).to.equal('ignore')
  })

  it('is not what is malformed, oversized, unsigned, forged or of another network; who goes on with it is sent away', () => {
    const bad = [
      new Uint8Array(10),
      new Uint8Array(64 * 1024),
      statement(another),
      statement(author, openNetwork('other').id)
    ]
    for (const data of bad) expect(judge(data)).to.equal('reject')
    expect(topic.judge(peerIdFromString(neighbour.peerId), { data: statement() })).to.equal('reject')
    expect(table.list()).to.deep.equal([])
    expect(sentAway).to.deep.equal([])
    for (let count = 0; count < USELESS_BUDGET.burst + HOSTILE_BUDGET.burst; count++)
      judge(new Uint8Array(10))
    expect(new Set(sentAway)).to.deep.equal(new Set([neighbour.peerId]))
  })

  it('is not what is over; that is nobody’s fault', () => {
    const over = statement()
    nowMs += STATEMENT_LIFETIME_MS + 1
    for (let count = 0; count < HOSTILE_BUDGET.burst * 2; count++) judge(over)
    expect(table.list()).to.deep.equal([])
    expect(sentAway).to.deep.equal([])
  })

  it('is bounded for one author, and for all newcomers together; neighbours are not to blame for the sum', () => {
    const verdicts = (count: number, of: () => SigningKey, by: () => SigningKey) =>
      Array.from({ length: count }, () => {
        nowMs += 1 // each is newer than the one before
        const key = of()
        return judge(statement(key), key, by())
      }).filter((verdict) => verdict === 'accept').length
    expect(verdicts(GOSSIP_BUDGET.burst * 3, () => author, generateSigningKey)).to.be.within(
      GOSSIP_BUDGET.burst,
      GOSSIP_BUDGET.burst + 1
    )
    expect(verdicts(NEWCOMER_BUDGET.burst * 2, generateSigningKey, generateSigningKey)).to.be.within(
      NEWCOMER_BUDGET.burst - 1,
      NEWCOMER_BUDGET.burst + 30
    )
    expect(sentAway).to.deep.equal([])
  })
})
