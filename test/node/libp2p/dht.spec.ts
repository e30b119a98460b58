import { randomBytes } from 'node:crypto'
import type { Libp2p } from '@libp2p/interface'
import { expect } from 'chai'
import type { Datastore } from 'interface-datastore'
import { CID } from 'multiformats/cid'
import { heldProviderRecords } from '../../../src/providers/dht.ts'
import { createHost } from '../../fixtures/create-hosts.ts'
import { createMesh, type Mesh } from '../../fixtures/create-mesh.ts'
import { until } from '../../fixtures/until.ts'

const NODES = 4
/** Shorter than anybody may configure; the sweep is every second then. */
const SHORT_TTL_MS = 1_000

function newId(): Uint8Array {
  return new Uint8Array([0x01, 0x55, 0x12, 0x20, ...randomBytes(32)])
}

/** Whom the records in a node's own store name. Asks nobody. */
function recordsOf({ libp2p }: { readonly libp2p: Libp2p }, id: Uint8Array): Promise<string[]> {
  const { components } = libp2p as unknown as { components: { datastore: Datastore } }
  return heldProviderRecords(components.datastore, id)
}

function tableOf({ libp2p }: { readonly libp2p: Libp2p }): number {
  return (libp2p.services as unknown as { dht: { routingTable: { size: number } } }).dht.routingTable.size
}

describe('libp2p traps: the DHT of nodes on one machine', () => {
  let mesh: Mesh
  before(async () => {
    mesh = await createMesh(NODES)
  })
  after(() => mesh?.close())

  const nothing = () => ({ version: 1, workloads: [] })

  it('everybody has everybody in its table, also where all addresses are private', async () => {
    for (const node of mesh.nodes)
      await until(`until the table of ${node.name} is full`, () => tableOf(node) === NODES - 1 || undefined)
  })

  it('an announcement is held by others, and not only by the node that made it', async () => {
    const [author, ...others] = mesh.nodes
    const id = newId()
    author!.services.providers.announce(id, nothing)
    for (const node of others)
      await until(`until ${node.name} holds it`, async () => {
        const [holder] = await recordsOf(node, id)
        return holder === author!.peerId || undefined
      })
    await until('until it says so', () => author!.services.providers.isAnnounced(id) || undefined)
  })

  it('a record that others still hold is not taken for running once it was withdrawn', async () => {
    // given
    const [asking, author] = mesh.nodes
    const id = newId()
    author!.services.providers.announce(id, nothing)
    await until('until it is held', async () => (await recordsOf(asking!, id)).length === 1 || undefined)
    const find = () => asking!.services.providers.find(id, { fresh: true })
    expect(await find()).to.have.length(1)
    // when
    author!.services.providers.withdraw(id)
    // then
    expect(await find()).to.deep.equal([])
    expect(await recordsOf(asking!, id)).to.deep.equal([author!.peerId])
  })

  it('what it announced in an earlier life is gone when it starts, so that nothing announces it again', async () => {
    // given: a record of its own that nobody took back, as after a crash
    const id = newId()
    const signal = AbortSignal.timeout(5_000)
    await mesh.nodes[2]!.libp2p.contentRouting.provide(CID.decode(id), { signal })
    expect(await recordsOf(mesh.nodes[2]!, id)).to.deep.equal([mesh.nodes[2]!.peerId])
    // when
    const again = await mesh.restart(2)
    // then
    expect(await recordsOf(again, id)).to.deep.equal([])
  })

  it('a lone node finds nobody at once, and tells the first that comes what it announced before', async () => {
    // given
    const alone = await createMesh(2)
    try {
      const [author, other] = alone.nodes
      await other!.stop()
      await until('until it is alone', () => author!.libp2p.getConnections().length === 0 || undefined)
      const id = newId()
      author!.services.providers.announce(id, nothing)
      const startedAt = performance.now()
      expect(await author!.services.providers.find(newId())).to.deep.equal([])
      expect(performance.now() - startedAt, 'libp2p waits for three minutes').to.be.lessThan(3_000)
      expect(author!.services.providers.isAnnounced(id), 'there is nobody to tell').to.equal(true)
      // when
      const neighbour = await alone.restart(1)
      // then
      await until('until the neighbour holds it', async () => {
        const [holder] = await recordsOf(neighbour, id)
        return holder === author!.peerId || undefined
      })
    } finally {
      await alone.close()
    }
  })
})

describe('libp2p traps: the time of a record in the DHT', () => {
  it('a provider that is gone is forgotten by the others when its time and a sweep are over', async () => {
    const hosts = await Promise.all([createHost({}, SHORT_TTL_MS), createHost({}, SHORT_TTL_MS)])
    try {
      // given
      const [author, holder] = hosts
      const id = newId()
      await author!.libp2p.dial(holder!.libp2p.getMultiaddrs())
      await until('until it has a table', () => tableOf(author!) === 1 || undefined)
      await author!.libp2p.contentRouting.provide(CID.decode(id), { signal: AbortSignal.timeout(5_000) })
      const held = () => recordsOf(holder!, id)
      await until('until it is held', async () => (await held()).length === 1 || undefined)
      // when
      await author!.libp2p.stop()
      // then
      await until('until it is forgotten', async () => (await held()).length === 0 || undefined)
    } finally {
      await Promise.all(hosts.map(({ libp2p }) => libp2p.stop()))
    }
  })
})
