import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { parseManifestId, parseManifests } from '../../src/manifest/index.ts'
import { LEASE_MS } from '../../src/providers/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { until } from '../fixtures/until.ts'

const POD = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image: 'localhost/web:1' }] }
})

describe('providers: among nodes', function () {
  this.timeout(30_000)
  let mesh: Mesh
  let manifestId: Uint8Array
  /** Index of the node that runs it. */
  let runs: number
  let others: number[]

  const providersOf = (index: number) => mesh.nodes[index]!.services.providers
  const foundBy = async (index: number, options = {}) =>
    (await providersOf(index).find(manifestId, options)).map(
      ({ nodeName, source }) => `${nodeName} ${source}`
    )

  before(async () => {
    mesh = await createMesh(4, { labels: { zone: 'cellar' } })
    const client = await mesh.client(0)
    const [result] = await client.apply(parseManifests(POD), { to: ['node-3'] })
    manifestId = parseManifestId(result!.manifestId)!
    runs = 3
    others = [0, 1, 2]
  })
  after(() => mesh?.close())

  it('is found by everybody, with what the provider says of itself', async () => {
    for (const index of others) expect((await foundBy(index)).join()).to.match(/^node-3 (peer|dht)$/)
    expect(await foundBy(runs)).to.deep.equal(['node-3 local'])
    const [view] = await providersOf(0).find(manifestId)
    expect(view).to.deep.include({ labels: { zone: 'cellar' }, capabilities: [] })
    expect(view!.workloads[0]).to.include({ engine: 'mock', state: 'running' })
  })

  it('is announced: other nodes hold the record', async () => {
    await until('it is announced', () => (providersOf(runs).isAnnounced(manifestId) ? true : undefined))
    const cid = CID.decode(manifestId)
    for (const index of others) {
      const { contentRouting } = mesh.nodes[index]!.libp2p
      const holders: string[] = []
      for await (const { id } of contentRouting.findProviders(cid, { signal: AbortSignal.timeout(5_000) }))
        holders.push(id.toString())
      expect(new Set(holders)).to.deep.equal(new Set([mesh.nodes[runs]!.peerId]))
    }
  })

  it('is found again without asking anybody', async () => {
    expect(await foundBy(0)).to.deep.equal(['node-3 cache'])
    expect(await foundBy(0, { engine: 'mock', labels: { zone: 'cellar' } })).to.deep.equal(['node-3 cache'])
    expect(await foundBy(0, { engine: 'podman' })).to.deep.equal([])
    expect(await foundBy(0, { minVersion: Date.now() + 1e6 })).to.deep.equal([])
    expect(await foundBy(0, { fresh: true })).to.deep.equal(['node-3 cache'])
  })

  it('stays known for longer than a lease, because the provider renews it', async () => {
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS + 500))
    expect(await foundBy(0, { limit: 1 })).to.deep.equal(['node-3 cache'])
  })

  it('is known to have stopped the moment it stops, by those who asked and by those who did not', async () => {
    await (await mesh.client(0)).delete('web')
    await until(
      'nobody answers with it',
      async () => {
        const answers = await Promise.all(mesh.nodes.map((_, index) => foundBy(index)))
        return answers.flat().length === 0 ? true : undefined
      },
      { deadlineMs: 1_000 }
    )
  })

  it('is found elsewhere when it runs there, though it was not found a moment ago', async () => {
    expect(await foundBy(1)).to.deep.equal([])
    await (await mesh.client(0)).apply(parseManifests(POD), { to: ['node-2'] })
    await until(
      'everybody finds it',
      async () => {
        const answers = await Promise.all(mesh.nodes.map((_, index) => foundBy(index)))
        return answers.every(([first]) => first?.startsWith('node-2')) ? true : undefined
      },
      { deadlineMs: 2_000 }
    )
  })

  it('is not said to run any more when its node leaves', async () => {
    for (const index of [0, 1, 3]) expect(await foundBy(index)).to.have.length(1)
    await mesh.nodes[2]!.stop()
    for (const index of [0, 1, 3])
      expect((await foundBy(index)).filter((one) => !one.endsWith('stale'))).to.deep.equal([])
  })
})
