import { expect } from 'chai'
import { type Head, openHead } from '../../src/audit/index.ts'
import { WitnessBook } from '../../src/audit/witness/book.ts'
import { memoryStore } from '../../src/store/index.ts'
import { createLog, networkId, rewrite } from './fixtures.ts'

async function createBook({ store = memoryStore() } = {}) {
  const clock = { nowMs: 0 }
  const book = new WitnessBook(store, () => (clock.nowMs += 60_000))
  await book.open()
  return { book, store }
}

type Log = Awaited<ReturnType<typeof createLog>>
const headOf = async ({ log }: Log, sequence?: number): Promise<Head> =>
  openHead((await log.headAt(sequence))!, { networkId })

describe('audit: what a witness keeps', () => {
  it('agrees with a log that only grows', async () => {
    const { book } = await createBook()
    const log = await createLog()
    for (let index = 0; index < 5; index++) {
      await log.write(3)
      expect(book.take(await headOf(log))).to.equal(undefined)
      expect(book.take(await headOf(log, 2))).to.equal(undefined)
    }
    expect(book.of(log.key.peerId).heads.map(({ sequence }) => sequence)).to.deep.equal([3, 6, 9, 12, 15])
  })

  it('keeps 16 heads, spaced from the first to the newest, also after a restart', async () => {
    const { book, store } = await createBook()
    const log = await createLog()
    for (let index = 0; index < 200; index++) {
      await log.write(1)
      book.take(await headOf(log))
    }
    await book.idle()

    const sequences = (await createBook({ store })).book
      .of(log.key.peerId)
      .heads.map(({ sequence }) => sequence)
    expect(sequences).to.have.length(16)
    expect([sequences[0], sequences.at(-1)]).to.deep.equal([1, 200])
    expect(sequences.filter((one) => one > 150)).to.have.length.within(4, 12)
    expect(sequences.filter((one) => one < 100)).to.have.length.within(2, 8)
  })

  it('shows a node that rewrote its log when it signs an old place again', async () => {
    const { book } = await createBook()
    const log = await createLog()
    await log.write(4)
    book.take(await headOf(log))

    await rewrite(log.store, 2)
    await log.log.open()
    await log.write(1)

    expect(book.take(await headOf(log)), 'nothing contradicts yet').to.equal(undefined)
    expect(book.take(await headOf(log, 4))?.sequence).to.equal(4)
    expect(book.of(log.key.peerId).evidence).to.have.length(1)
  })

  it('shows a node that goes on with an older copy of its database, at its next head', async () => {
    const { book } = await createBook()
    const log = await createLog()
    await log.write(4)
    const copy = memoryStore()
    for (const name of ['audit', 'audit-state']) {
      const [from, to] = [log.store, copy].map((store) =>
        store.collection<Uint8Array>(name, {
          encode: (value) => value,
          decode: (bytes) => Uint8Array.from(bytes)
        })
      )
      for await (const [key, value] of from!.entries()) await to!.put(key, value)
    }
    await log.write(4)
    book.take(await headOf(log))

    const back = await createLog({ store: copy, key: log.key })
    back.clock.nowMs = log.clock.nowMs + 1_000
    await back.write(1)

    const contradicted = book.take(await headOf(back))
    expect(contradicted?.length).to.equal(8)
    expect(book.take(await headOf(back)), 'is told once').to.equal(undefined)
    expect(book.of(log.key.peerId).evidence).to.have.length(1)
    await back.write(12)
    expect(book.take(await headOf(back, 8)), 'and again where another place shows it').to.equal(undefined)
  })

  it('shows a node that lost its database and kept its key', async () => {
    const { book } = await createBook()
    const log = await createLog()
    await log.write(4)
    book.take(await headOf(log))
    const empty = await createLog({ key: log.key })
    empty.clock.nowMs = log.clock.nowMs
    await empty.write(1)
    expect(book.take(await headOf(empty))?.length).to.equal(4)
  })

  it('keeps both heads as evidence on disk, and the ones it had', async () => {
    const { book, store } = await createBook()
    const log = await createLog()
    await log.write(4)
    const before = await headOf(log)
    book.take(before)
    await rewrite(log.store, 2)
    await log.log.open()
    const after = await headOf(log)
    book.take(after)
    await book.idle()

    const { heads, evidence } = (await createBook({ store })).book.of(log.key.peerId)
    expect(heads).to.deep.equal([before])
    expect(evidence).to.deep.equal([[before, after]])
  })

  it('takes no more new heads of one node than its budget, and none of an older place', async () => {
    const book = new WitnessBook(memoryStore(), () => 0)
    const log = await createLog()
    for (let index = 0; index < 40; index++) {
      await log.write(1)
      book.take(await headOf(log))
    }
    expect(book.of(log.key.peerId).heads.at(-1)!.sequence).to.equal(20)
    book.take(await headOf(log, 1))
    expect(book.of(log.key.peerId).heads.at(-1)!.sequence).to.equal(20)
  })
})
