import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { jsonCodec, memoryStore, openStore, type Store } from '../../src/store/index.ts'

interface Entry {
  readonly text: string
  readonly data?: Uint8Array
}

async function drain<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of source) all.push(item)
  return all
}

describe('store', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'beemesh-store-'))
  })
  afterEach(() => rm(dir, { recursive: true }))

  const kinds: [string, () => Promise<Store>][] = [
    ['level', () => openStore(join(dir, 'db'))],
    ['memory', async () => memoryStore()]
  ]
  for (const [name, open] of kinds)
    describe(name, () => {
      it('gives back what was put, bytes included, and nothing for what was not', async () => {
        const store = await open()
        const entries = store.collection<Entry>('entries', jsonCodec())
        await entries.put('a', { text: 'one', data: new Uint8Array([0, 255]) })
        expect(await entries.get('a')).to.deep.equal({ text: 'one', data: new Uint8Array([0, 255]) })
        expect(await entries.get('b')).to.equal(undefined)
        await store.close()
      })

      it('keeps collections apart whose names begin alike', async () => {
        const store = await open()
        const short = store.collection<Entry>('log', jsonCodec())
        const long = store.collection<Entry>('logbook', jsonCodec())
        await store.write([short.putting('k', { text: 's' }), long.putting('k', { text: 'l' })])
        expect(await drain(short.entries())).to.deep.equal([['k', { text: 's' }]])
        await short.delete('k')
        expect(await drain(short.entries())).to.deep.equal([])
        expect(await long.get('k')).to.deep.equal({ text: 'l' })
        await store.close()
      })
    })

  it('finds its entries again after it was closed and opened', async () => {
    const first = await openStore(join(dir, 'db'))
    await first.collection<Entry>('entries', jsonCodec()).put('a', { text: 'kept' })
    await first.close()
    const second = await openStore(join(dir, 'db'))
    expect(await second.collection<Entry>('entries', jsonCodec()).get('a')).to.deep.equal({ text: 'kept' })
    await second.close()
  })

  it('says that the database is held by another node', async () => {
    const first = await openStore(join(dir, 'db'))
    const second = await openStore(join(dir, 'db')).catch((error: unknown) => error)
    expect(second).to.have.property('code', 'STORE_LOCKED')
    await first.close()
  })
})
