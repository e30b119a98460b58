import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import fc from 'fast-check'
import { decode, EXCHANGE } from '../../src/envelope/index.ts'
import type { Exchange as ExchangeMessage } from '../../src/generated/fbs/index.ts'
import { generateSigningKey, openNetwork, type SigningKey } from '../../src/identity/index.ts'
import { STATEMENTS_PER_FRAME } from '../../src/members/constants.ts'
import { type MemberView, signNodeStatement } from '../../src/members/index.ts'
import { type MemberEntry, MemberTable } from '../../src/members/member-table.ts'
import { Exchange } from '../../src/members/spread/exchange.ts'
import {
  decodeKeys,
  decodeSummary,
  encodeKeys,
  encodeSummary,
  MAX_SUMMARY,
  summaryKey
} from '../../src/members/spread/summary.ts'
import type { PeerWire } from '../../src/wire/index.ts'
import { quietLogger } from '../fixtures/quiet-logger.ts'

describe('members: what nodes compare', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

  it('is read as it was written: keys and times', () => {
    const nodes = fc.array(
      fc.record({ publicKey: bytes(32), issuedAtMs: fc.integer({ min: 0, max: 2 ** 52 }) }),
      { maxLength: 50 }
    )
    fc.assert(
      fc.property(nodes, (all) => {
        const expected = new Map(all.map((one) => [summaryKey(one.publicKey), one.issuedAtMs]))
        expect(decodeSummary(encodeSummary(all))).to.deep.equal(expected)
        expect(decodeKeys(encodeKeys([...expected.keys()]))).to.deep.equal(new Set(expected.keys()))
      })
    )
  })

  it('is bounded, and does not trip over what is cut off', () => {
    const node = { publicKey: generateSigningKey().publicKey, issuedAtMs: 7 }
    expect(encodeSummary(Array.from({ length: MAX_SUMMARY + 9 }, () => node))).to.have.lengthOf(65_536)
    expect(decodeSummary(encodeSummary([node, node]).subarray(0, 31)).size).to.equal(1)
    expect(decodeSummary(new Uint8Array(15)).size).to.equal(0)
    expect(decodeKeys(new Uint8Array(7)).size).to.equal(0)
  })
})

/** The two ends of a connection, without one: a mock of PeerWire that hands each question to the other side's handler. */
class TwoEnds {
  sent = 0
  readonly #handlers = new Map<string, (message: ExchangeMessage, from: string) => Promise<Uint8Array>>()

  of(self: string): PeerWire {
    const wire = {
      handle: async (_protocol: unknown, _root: unknown, _type: unknown, handler: never) => {
        this.#handlers.set(self, handler)
      },
      ask: async (peer: PeerId, _protocol: unknown, payload: Uint8Array) => {
        const answer = await this.#handlers.get(peer.toString())!(decode(EXCHANGE, payload), self)
        this.sent += payload.byteLength + answer.byteLength
        return decode(EXCHANGE, answer)
      }
    }
    return wire as unknown as PeerWire
  }
}

describe('members: what nodes tell each other', () => {
  const network = openNetwork('exchange')
  const nowMs = 1_800_000_000_000
  const statementOf = (key: SigningKey, issuedMs = nowMs, leaving = false) =>
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
      { key, networkId: network.id, nowMs: issuedMs, leaving }
    )

  async function createEnd(ends: TwoEnds, other: SigningKey, key = generateSigningKey()) {
    const table = new MemberTable({ networkId: network.id, now: () => nowMs })
    table.merge(statementOf(key))
    const dead = new Set<string>()
    const view = (entry: MemberEntry) =>
      ({
        ...entry,
        self: entry.peerId === key.peerId,
        state: dead.has(entry.peerId) ? 'dead' : 'alive'
      }) as MemberView
    const exchange = new Exchange({
      wire: ends.of(key.peerId),
      connectionManager: {
        getConnectionsMap: () => new Map([[peerIdFromString(other.peerId), []]])
      } as never,
      log: quietLogger,
      list: () => table.list().map(view),
      get: (peerId) => table.get(peerId) && view(table.get(peerId)!),
      merge: (statements) => {
        for (const statement of statements) table.merge(statement)
      }
    })
    await exchange.start()
    return { key, peer: peerIdFromString(key.peerId), table, dead, exchange }
  }

  async function createEnds() {
    const ends = new TwoEnds()
    const [one, two] = [generateSigningKey(), generateSigningKey()]
    return { ends, anna: await createEnd(ends, two, one), bert: await createEnd(ends, one, two) }
  }
  const signal = new AbortController().signal

  it('is everything the other lacks, both ways, also more than a frame holds', async () => {
    const { anna, bert } = await createEnds()
    const strangers = Array.from({ length: STATEMENTS_PER_FRAME * 2 + 3 }, generateSigningKey)
    for (const key of strangers) bert.table.merge(statementOf(key))
    anna.table.merge(statementOf(generateSigningKey()))

    await anna.exchange.withPeer(bert.peer, { signal })

    expect(anna.table.list()).to.have.lengthOf(strangers.length + 3)
    expect(bert.table.list()).to.have.lengthOf(strangers.length + 3)
  })

  it('is only what is newer, so that two who know the same say little', async () => {
    const { ends, anna, bert } = await createEnds()
    const known = Array.from({ length: 20 }, generateSigningKey)
    for (const key of known) for (const { table } of [anna, bert]) table.merge(statementOf(key))
    await anna.exchange.withPeer(bert.peer, { signal })
    ends.sent = 0

    await anna.exchange.withPeer(bert.peer, { signal })
    expect(ends.sent).to.be.below(1_000)

    anna.table.merge(statementOf(known[0]!, nowMs + 1))
    bert.table.merge(statementOf(known[1]!, nowMs + 2))
    await anna.exchange.withPeer(bert.peer, { signal })
    for (const { table } of [anna, bert]) {
      expect(table.get(known[0]!.peerId)?.issuedAtMs).to.equal(nowMs + 1)
      expect(table.get(known[1]!.peerId)?.issuedAtMs).to.equal(nowMs + 2)
    }
  })

  it('is nothing of those that seem dead', async () => {
    const { anna, bert } = await createEnds()
    const gone = generateSigningKey()
    bert.table.merge(statementOf(gone))
    bert.dead.add(gone.peerId)
    await anna.exchange.withPeer(bert.peer, { signal })
    expect(anna.table.get(gone.peerId)).to.equal(undefined)
    await bert.exchange.withPeer(anna.peer, { signal })
    expect(anna.table.get(gone.peerId)).to.equal(undefined)
  })

  it('is a goodbye, which is answered with nothing', async () => {
    const { ends, anna, bert } = await createEnds()
    await anna.exchange.withPeer(bert.peer, { signal })
    bert.table.merge(statementOf(generateSigningKey()))
    anna.table.merge(statementOf(anna.key, nowMs + 5, true))
    ends.sent = 0
    await anna.exchange.goodbye({ signal })
    expect(bert.table.get(anna.key.peerId)?.leaving).to.equal(true)
    expect(ends.sent).to.be.below(2_500)
  })
})
