import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { type LogCheck, openHead } from '../../src/audit/index.ts'
import { AUDIT_ENTRY, decode } from '../../src/envelope/index.ts'
import { type AuditEntryInit, encodeAuditEntry } from '../../src/generated/fbs/index.ts'
import { generateSigningKey } from '../../src/identity/index.ts'
import { check, createLog, keyOf, networkId, rewrite } from './fixtures.ts'

const manifestId = new Uint8Array(36).fill(7)
const FULL = {
  what: 'refused',
  action: 'apply',
  author: generateSigningKey().publicKey,
  verified: true,
  transport: 'local',
  manifestId,
  version: 5,
  code: 'POLICY_REFUSED',
  rule: 'hostNetwork',
  count: 2,
  since: 9
} as const

/** Every field of an entry, with another value. */
const TAMPERED: readonly Partial<AuditEntryInit>[] = [
  { sequence: 7 },
  { at: 1 },
  { what: 'did' },
  { action: 'status' },
  { author: generateSigningKey().publicKey },
  { author: undefined },
  { verified: false },
  { transport: 'other' },
  { manifestId: new Uint8Array(36).fill(8) },
  { version: 6 },
  { code: 'NOT_AUTHORISED' },
  { rule: 'other' },
  { count: 3 },
  { since: 8 },
  { previous: new Uint8Array(32) }
]

const reasons = ({ faults }: LogCheck) => faults.map(({ sequence, reason }) => `${sequence} ${reason}`)

describe('audit: the chain', () => {
  it('is whole, from the node and the network it is of to its signed end', async () => {
    const { log, write, key } = await createLog()
    await write(5, FULL)

    const result = await check(log, key.peerId)

    expect(result.faults).to.deep.equal([])
    expect([result.first, result.last, result.head?.length]).to.deep.equal([1, 5, 5])
  })

  it('is what docs/PROTOCOL.md says', async () => {
    const { log, write, key, stored } = await createLog()
    await write(2, FULL)
    const h = (...parts: (string | Uint8Array)[]) =>
      parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()

    const start = h('beemesh.v1/audit-start\0', networkId, key.publicKey)
    const one = h('beemesh.v1/audit\0', start, (await stored.get(keyOf(1)))!)
    const two = h('beemesh.v1/audit\0', one, (await stored.get(keyOf(2)))!)

    expect(openHead((await log.headAt())!, { networkId }).hash).to.deep.equal(Uint8Array.from(two))
    expect(openHead((await log.headAt(1))!, { networkId }).hash).to.deep.equal(Uint8Array.from(one))
  })

  it('is whole when it is empty', async () => {
    const { log, key } = await createLog()
    expect((await check(log, key.peerId)).faults).to.deep.equal([])
  })

  for (const change of TAMPERED)
    it(`shows the entry whose ${Object.entries(change).flat().slice(0, 1)} was changed`, async () => {
      const { log, write, key, stored } = await createLog()
      await write(4, FULL)
      const entry = decode(AUDIT_ENTRY, (await stored.get(keyOf(2)))!)

      await stored.put(keyOf(2), encodeAuditEntry({ ...entry, ...change }))

      const [first] = reasons(await check(log, key.peerId))
      expect(first).to.be.oneOf(
        'sequence' in change ? ['2 missing'] : 'previous' in change ? ['1 changed'] : ['2 changed']
      )
    })

  it('shows a change of the last entry by the signature over the end', async () => {
    const { log, write, key, stored } = await createLog()
    await write(3, FULL)
    const entry = decode(AUDIT_ENTRY, (await stored.get(keyOf(3)))!)

    await stored.put(keyOf(3), encodeAuditEntry({ ...entry, code: 'REPLAYED' }))

    expect(reasons(await check(log, key.peerId))).to.deep.equal(['3 changed'])
  })

  it('shows which entry is missing, also at the beginning and the end', async () => {
    for (const gone of [1, 2, 4]) {
      const { log, write, key, stored } = await createLog()
      await write(4)
      await stored.delete(keyOf(gone))
      expect(reasons(await check(log, key.peerId))[0]).to.equal(gone === 4 ? '3 missing' : `${gone} missing`)
    }
  })

  it('shows two entries that changed places', async () => {
    const { log, write, key, stored } = await createLog()
    await write(4)
    const [two, three] = [(await stored.get(keyOf(2)))!, (await stored.get(keyOf(3)))!]

    await stored.put(keyOf(2), three)
    await stored.put(keyOf(3), two)

    expect(reasons(await check(log, key.peerId))[0]).to.equal('2 missing')
  })

  it('shows what cannot be read', async () => {
    const { log, write, key, stored } = await createLog()
    await write(3)
    await stored.put(keyOf(2), new Uint8Array(64))
    expect(reasons(await check(log, key.peerId))).to.deep.equal(['2 malformed', '2 changed'])
  })

  it('refuses the log of another node and a head that another node signed', async () => {
    const [mine, other] = [await createLog(), await createLog()]
    await mine.write(2)
    await other.write(2)

    expect(reasons(await check(other.log, mine.key.peerId))).to.include('0 head')
    const result = await check(mine.log, mine.key.peerId)
    result.end((await other.log.headAt())!)
    expect(reasons(result)).to.deep.equal(['2 head'])
    const forged = Uint8Array.from((await mine.log.headAt())!)
    forged[60]! ^= 1
    result.end(forged)
    expect(reasons(result)).to.deep.equal(['2 head', '2 head'])
  })

  it('is rewritten without a trace in itself when the node signs again, and the heads others hold show it', async () => {
    const { log, write, key, store } = await createLog()
    await write(2, FULL)
    const early = (await log.headAt())!
    await write(2, FULL)
    const late = (await log.headAt())!

    await rewrite(store, 3)
    await log.open()

    const result = await check(log, key.peerId)
    expect(result.faults).to.deep.equal([])
    expect(result.compare(early)).to.equal('agrees')
    expect(result.compare(late)).to.include({ sequence: 4, reason: 'contradicted' })
  })
})

describe('audit: what is cut', () => {
  it('leaves a chain that begins at a signed head', async () => {
    const { log, write, key, stored } = await createLog({ maxEntries: 10 })
    const heads = []
    for (let index = 0; index < 8; index++) {
      await write(3)
      heads.push((await log.headAt())!)
    }

    const result = await check(log, key.peerId)

    expect(result.faults).to.deep.equal([])
    expect([result.first, result.last]).to.deep.equal([16, 24])
    const keys = []
    for await (const [name] of stored.entries()) keys.push(Number(name))
    expect(keys).to.deep.equal([16, 17, 18, 19, 20, 21, 22, 23, 24])
    expect(heads.map((head) => result.compare(head))).to.deep.equal([
      ...Array(4).fill('older'),
      ...Array(4).fill('agrees')
    ])
  })

  it('is told when it is more than a node cuts', async () => {
    const { log, write, key } = await createLog({ maxEntries: 10 })
    await write(24)
    expect(reasons(await check(log, key.peerId, { minKept: 49_000 }))).to.deep.equal(['15 cut'])
  })

  it('waits while somebody reads', async () => {
    const { log, write } = await createLog({ maxEntries: 10 })
    await write(10)
    const seen: number[] = []
    for await (const { sequence } of log.entries()) {
      seen.push(sequence)
      if (sequence === 2) await write(5)
    }
    expect(seen).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    await write(1)
    expect(log.state.cut.sequence).to.equal(10)
  })
})
