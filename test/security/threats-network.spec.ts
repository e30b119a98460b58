import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { bareNode } from '../../bench/bare-node.ts'
import { sealManifest } from '../../src/client/apply/seal.ts'
import { type AuditEntryView, revokeGrants } from '../../src/client/index.ts'
import { encodeApplyRequest } from '../../src/generated/fbs/index.ts'
import { publicKeyFromPeerId } from '../../src/identity/index.ts'
import { parseManifestId, parseManifests } from '../../src/manifest/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { send, signRequest } from '../fixtures/raw-request.ts'
import { until } from '../fixtures/until.ts'
import { pod, toYaml } from '../fixtures/workload-files.ts'

const manifests = (name: string, command?: string[]) => parseManifests(toYaml(pod({ name, command })))

describe('threats: what a network tells', function () {
  this.timeout(60_000)
  let mesh: Mesh
  before(async () => {
    mesh = await createMesh(3)
  })
  after(() => mesh?.close())

  it('18 poisoned provider records: who says in the DHT that he provides, and does not, is found by nobody', async () => {
    const [result] = await (await mesh.client(0)).apply(manifests('wanted'), { to: ['node-2'] })
    const id = parseManifestId(result!.manifestId)!
    const nobodys = id.slice()
    nobodys[35] = nobodys[35]! ^ 1
    // node-1 lies, as every node of an open network may: for what another runs, and for what nobody runs
    for (const wanted of [id, nobodys])
      await mesh.nodes[1]!.libp2p.contentRouting.provide(CID.decode(wanted), {
        signal: AbortSignal.timeout(10_000)
      })
    const { contentRouting } = mesh.nodes[0]!.libp2p
    const inDht = async (wanted: Uint8Array) => {
      const named: string[] = []
      const options = { signal: AbortSignal.timeout(5_000) }
      for await (const { id: peer } of contentRouting.findProviders(CID.decode(wanted), options))
        named.push(peer.toString())
      return named
    }
    const found = async (wanted: Uint8Array) =>
      (await mesh.nodes[0]!.services.providers.find(wanted, { fresh: true })).map(({ nodeName }) => nodeName)

    expect(await inDht(nobodys), 'the lie is in the DHT').to.include(mesh.nodes[1]!.peerId)
    expect(await found(id)).to.deep.equal(['node-2'])
    expect(await found(nobodys)).to.deep.equal([])
  })

  it('28 equivocation: of two records of one version the first stays, and the log has that there was another', async () => {
    const session = await mesh.session(0)
    const target = publicKeyFromPeerId(mesh.nodes[0]!.peerId)
    const version = Date.now()
    const seal = (argument: string) =>
      sealManifest(manifests('twice', ['sleep', argument])[0]!, {
        key: mesh.key,
        networkId: session.connection.networkId,
        version,
        nodes: [mesh.nodes[0]!.services.members.self()],
        nowMs: Date.now()
      })
    const apply = async (argument: string) => {
      const sealed = await seal(argument)
      const encode = (replyKey: Uint8Array) => encodeApplyRequest({ ...sealed, ordinals: [0], replyKey })
      const request = await signRequest(session, target, { name: 'apply', encode })
      return (await send(session, 'apply', request.envelope, request)).code
    }
    expect(await apply('1')).to.equal('ok')
    const [first] = mesh.nodes[0]!.services.workloads.list()
    expect(await apply('2')).to.equal('EQUIVOCATION')

    expect(mesh.nodes[0]!.services.workloads.list()[0]!.recordDigest).to.deep.equal(first!.recordDigest)
    const entries: AuditEntryView[] = []
    for await (const entry of (await mesh.client(0)).audit(undefined)) entries.push(entry)
    const alarm = entries.find(({ code }) => code === 'EQUIVOCATION')
    expect(alarm).to.include({ what: 'refused', action: 'apply', author: mesh.key.peerId, verified: true })
  })

  it("25 theft of a node's keys: to a node whose membership is revoked nothing is sealed, by any entry node", async () => {
    const session = await mesh.session(0)
    const client = await mesh.client(0)
    const stolen = (await client.nodes()).find(({ name }) => name === 'node-1')!
    const ids = stolen.memberships.map(({ chain }) => chain.links.at(-1)!.id)
    await revokeGrants(session, ids, { forgetAfter: Date.now() + 1e9 })
    const refused = async (index: number) =>
      (await mesh.client(index))
        .apply(manifests(`secret-${index}`), { to: ['node-1'] })
        .then(() => undefined)
        .catch(({ code }) => code)

    expect(await refused(0)).to.equal('NOT_A_MEMBER')
    const other = await mesh.client(2)
    await until('until the others have heard of it', async () => {
      const nodes = await other.nodes()
      return nodes.some(({ name, member }) => name === 'node-1' && !member) || undefined
    })
    expect(await refused(2)).to.equal('NOT_A_MEMBER')
    expect(mesh.nodes[1]!.services.workloads.list()).to.deep.equal([])
  })
})

describe('threats: a node among hostile neighbours', function () {
  this.timeout(60_000)
  let mesh: Mesh
  const hostile: Awaited<ReturnType<typeof bareNode>>[] = []
  before(async () => {
    mesh = await createMesh(2)
  })
  after(async () => {
    await Promise.all(hostile.map((node) => node.stop()))
    await mesh?.close()
  })

  it('20 eclipse: a node all of whose neighbours are hostile finds its bootstrap node again', async () => {
    const victim = mesh.nodes[1]!
    await mesh.nodes[0]!.stop()
    for (let index = 0; index < 6; index++) hostile.push(await bareNode(victim.addresses()[0]!, 'in-process'))
    const neighbours = () => new Set(victim.libp2p.getPeers().map(String))
    await until('until all are connected', () => neighbours().size === 6 || undefined)
    expect(neighbours().has(mesh.nodes[0]!.peerId)).to.equal(false)
    // comes back, and dials nobody by itself: its configuration names nobody
    const honest = await mesh.restart(0)

    await until('until it is connected', () => neighbours().has(honest.peerId) || undefined, {
      deadlineMs: 20_000
    })
  })
})

describe('threats: all neighbours are replaced', function () {
  this.timeout(60_000)

  it('20 eclipse: a node tells when everybody it was connected to is gone and others are there', async () => {
    const mesh = await createMesh(4)
    const hostile: Awaited<ReturnType<typeof bareNode>>[] = []
    try {
      const victim = mesh.nodes[3]!
      const { members } = victim.services
      const alarms: { before: readonly string[] }[] = []
      members.addEventListener('neighbours:replaced', ({ detail }) => alarms.push(detail))
      members.lookAround()
      for (const node of mesh.nodes.slice(0, 3)) await node.stop()
      for (let index = 0; index < 3; index++)
        hostile.push(await bareNode(victim.addresses()[0]!, 'in-process'))
      await until('until they are connected', () => victim.libp2p.getPeers().length === 3 || undefined)
      members.lookAround()

      expect(alarms.map(({ before }) => [...before].sort())).to.deep.equal([
        mesh.nodes
          .slice(0, 3)
          .map(({ peerId }) => peerId)
          .sort()
      ])
    } finally {
      await Promise.all(hostile.map((node) => node.stop()))
      await mesh.close()
    }
  })
})
