import { expect } from 'chai'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { until } from '../fixtures/until.ts'

interface Dht {
  readonly routingTable: { readonly size: number }
}

describe('members: joining through a bootstrap node', () => {
  let mesh: Mesh
  before(async () => {
    mesh = await createMesh(3)
  })
  after(() => mesh?.close())

  it('everybody gets into the DHT table of everybody, the bootstrap node too', async () => {
    // because a node that identifies itself before it listens has no address, and the other side's DHT then ignores it
    for (const { name, libp2p } of mesh.nodes) {
      const { dht } = libp2p.services as unknown as { dht: Dht }
      await until(`until the table of ${name} is full`, () => dht.routingTable.size === 2 || undefined)
    }
  })

  it('every node holds a membership from the owner and says where it listens', () => {
    for (const { services } of mesh.nodes)
      for (const member of services.members.list()) {
        expect(member.memberOf).to.deep.equal([mesh.key.peerId])
        expect(member.addresses).to.have.length(1)
      }
  })
})
