import { expect } from 'chai'
import { MemoryDatastore, NamespaceDatastore } from 'datastore-core'
import { type Datastore, Key, type KeyQuery, type Pair, type Query } from 'interface-datastore'
import { PrefixedDatastore } from '../../src/store/prefixed.ts'

class Watched extends MemoryDatastore {
  readonly prefixes: (string | undefined)[] = []
  override query(query: Query) {
    this.prefixes.push(query.prefix)
    return super.query(query)
  }
  override queryKeys(query: KeyQuery) {
    this.prefixes.push(query.prefix)
    return super.queryKeys(query)
  }
}

describe('store: the part of libp2p', () => {
  const child = new Watched()
  for (const name of ['/libp2p/a/1', '/libp2p/a/2', '/libp2p/ab', '/other/a/1'])
    child.put(new Key(name), Uint8Array.of(name.length))
  const ours = new PrefixedDatastore(child, '/libp2p')
  const theirs = new NamespaceDatastore(child, new Key('/libp2p'))

  const isOdd = ({ key }: Pair) => key.toString().endsWith('1')
  const queries: readonly [string, Query][] = [
    ['all', {}],
    ['what begins with a prefix', { prefix: '/a/' }],
    ['what begins with half a name', { prefix: '/a' }],
    ['the root', { prefix: '/' }],
    ['what passes a filter', { prefix: '/a', filters: [isOdd] }],
    [
      'the first of an order',
      { orders: [(a, b) => (a.key.toString() < b.key.toString() ? 1 : -1)], limit: 1 }
    ]
  ]
  for (const [what, query] of queries)
    it(`answers a query for ${what} as NamespaceDatastore does`, async () => {
      expect(await pairs(ours, query)).to.deep.equal(await pairs(theirs, query))
    })

  it('does not answer with another part whose name begins alike', async () => {
    const two = new MemoryDatastore()
    for (const name of ['/libp2p/a', '/libp2pother/a']) two.put(new Key(name), Uint8Array.of(1))
    expect(await keys(new PrefixedDatastore(two, '/libp2p'), {})).to.deep.equal(['/a'])
  })

  it('asks for no more than what begins with the prefix', async () => {
    child.prefixes.length = 0
    await pairs(ours, { prefix: '/a/' })
    expect(await keys(ours, { prefix: '/a/', filters: [(key) => key.toString() === '/a/2'] })).to.deep.equal([
      '/a/2'
    ])
    await keys(ours, { orders: [() => 0] })
    expect(child.prefixes).to.deep.equal(['/libp2p/a/', '/libp2p/a/', '/libp2p/'])
  })
})

async function pairs(datastore: Datastore, query: Query): Promise<string[]> {
  const found: string[] = []
  for await (const { key, value } of datastore.query(query)) found.push(`${key} ${value}`)
  return query.orders === undefined ? found.sort() : found
}

async function keys(datastore: Datastore, query: KeyQuery): Promise<string[]> {
  const found: string[] = []
  for await (const key of datastore.queryKeys(query)) found.push(key.toString())
  return found
}
