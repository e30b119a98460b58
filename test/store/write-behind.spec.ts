import { expect } from 'chai'
import { MemoryDatastore } from 'datastore-core'
import { Key } from 'interface-datastore'
import { type SinonFakeTimers, useFakeTimers } from 'sinon'
import { WriteBehind } from '../../src/store/write-behind.ts'

const key = (name: string) => new Key(`/${name}`)
const bytes = (...values: number[]) => Uint8Array.from(values)

class Counted extends MemoryDatastore {
  puts = 0
  gets = 0
  override put(...args: Parameters<MemoryDatastore['put']>) {
    this.puts++
    return super.put(...args)
  }
  override get(...args: Parameters<MemoryDatastore['get']>) {
    this.gets++
    return super.get(...args)
  }
}

describe('store: what libp2p writes all the time', () => {
  let clock: SinonFakeTimers
  let child: Counted
  let store: WriteBehind
  beforeEach(() => {
    clock = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    child = new Counted()
    store = new WriteBehind(child)
  })
  afterEach(() => clock.restore())

  it('is written once for many writes of one key, and read from memory', async () => {
    for (let i = 0; i < 100; i++) store.put(key('a'), bytes(i))
    expect(await store.get(key('a'))).to.deep.equal(bytes(99))
    expect(child.puts).to.equal(0)
    await clock.tickAsync(1_000)
    expect(child).to.include({ puts: 1, gets: 0 })
    expect(child.get(key('a'))).to.deep.equal(bytes(99))
  })

  it('is written at once when a lot waits', async () => {
    for (let i = 0; i < 512; i++) store.put(key(`n${i}`), bytes(1))
    await store.flush()
    expect(child.puts).to.equal(512)
  })

  it('is found by a query before its time has come', async () => {
    store.put(key('p/a'), bytes(1))
    const found = []
    for await (const pair of store.query({ prefix: '/p' })) found.push(pair.key.toString())
    expect(found).to.deep.equal(['/p/a'])
  })

  it('does not come back when it is deleted, written yet or not', async () => {
    store.put(key('a'), bytes(1))
    await store.delete(key('a'))
    store.put(key('b'), bytes(1))
    const flushed = store.flush()
    await store.delete(key('b'))
    await flushed
    for (const name of ['a', 'b']) expect(await store.has(key(name)), name).to.equal(false)
    await clock.tickAsync(1_000)
    expect(child.has(key('a'))).to.equal(false)
  })

  it('is what was written last, also when it was being read from below meanwhile', async () => {
    child.put(key('a'), bytes(1))
    const reading = store.get(key('a'))
    store.put(key('a'), bytes(2))
    expect(await reading).to.deep.equal(bytes(2))
    await store.flush()
    expect(await store.get(key('a'))).to.deep.equal(bytes(2))
  })

  it('goes on being read, queried and deleted when it could not be written', async () => {
    child.put(key('a'), bytes(1))
    const { batch } = child
    child.batch = () => ({
      ...batch.call(child),
      commit: () => Promise.reject(new Error('the disk is full'))
    })
    store.put(key('b'), bytes(1))
    expect(await store.flush().catch((error: Error) => error.message)).to.equal('the disk is full')
    expect(await store.get(key('a'))).to.deep.equal(bytes(1))
    expect(await store.has(key('none'))).to.equal(false)
    const found = []
    for await (const one of store.queryKeys({})) found.push(one.toString())
    expect(found).to.deep.equal(['/a'])
    await store.delete(key('a'))
    expect(child.has(key('a'))).to.equal(false)
  })

  it('is read from below when it was never read here, and missing with the error of below', async () => {
    child.put(key('a'), bytes(7))
    expect(await store.get(key('a'))).to.deep.equal(bytes(7))
    const error = await store.get(key('none')).catch((thrown: Error) => thrown)
    expect((error as Error).name).to.equal('NotFoundError')
  })
})
