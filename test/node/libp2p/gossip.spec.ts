import { randomBytes } from 'node:crypto'
import type { GossipSub } from '@libp2p/gossipsub'
import { expect } from 'chai'
import { networkTag } from '../../../src/identity/index.ts'
import type { BeemeshNode } from '../../../src/node/index.ts'
import { createMesh, type Mesh } from '../../fixtures/create-mesh.ts'
import { until } from '../../fixtures/until.ts'

/** More than ten, which is how many of one address libp2p's scores bear before they silence all of them. */
const NODES = 20
/** All that a configuration takes. */
const LABELS = Object.fromEntries(
  Array.from({ length: 32 }, (_, index) => [`label-${index}`, 'v'.repeat(55)])
)

describe('libp2p traps: gossip between twenty nodes of one address', function () {
  this.timeout(90_000)
  let mesh: Mesh
  let others: (node: BeemeshNode) => BeemeshNode[]
  before(async () => {
    mesh = await createMesh(NODES, { labels: LABELS })
    others = (node) => mesh.nodes.filter((other) => other !== node)
  })
  after(() => mesh?.close())

  const pubsubOf = (node: BeemeshNode) => (node.libp2p.services as unknown as { pubsub: GossipSub }).pubsub
  const topic = (name: string) => `/beemesh/${networkTag(mesh.nodes[0]!.network)}/${name}`
  const newId = () => new Uint8Array([0x01, 0x55, 0x12, 0x20, ...randomBytes(32)])

  /** What each node takes in from now on, by author: the bytes of its largest message. Messages that are judged bad do not count. */
  const listen = () => {
    const heard = new Map(mesh.nodes.map((node) => [node, new Map<string, number>()]))
    for (const [node, authors] of heard)
      pubsubOf(node).addEventListener('message', ({ detail }) => {
        if (detail.topic !== topic('events') || detail.type !== 'signed') return
        const author = detail.from.toString()
        authors.set(author, Math.max(authors.get(author) ?? 0, detail.data.byteLength))
      })
    return heard
  }

  for (const name of ['events', 'members'])
    it(`everybody knows that all others want to hear of ${name}`, async () => {
      for (const node of mesh.nodes)
        await until(`until ${node.name} knows ${NODES - 1} subscribers`, () => {
          const count = pubsubOf(node).getSubscribers(topic(name)).length
          if (count !== NODES - 1) throw new Error(`it knows ${count}`)
          return true
        })
    })

  it('everybody hears everybody who runs something', async () => {
    const heard = listen()
    for (const { services } of mesh.nodes)
      services.providers.announce(newId(), () => ({ version: 1, workloads: [] }))
    for (const node of mesh.nodes)
      await until(`until ${node.name} has heard of all`, () => {
        const silent = others(node).filter(({ peerId }) => !heard.get(node)!.has(peerId))
        if (silent.length > 0) throw new Error(`not of ${silent.map(({ name }) => name)}`)
        return true
      })
  })

  it('everybody hears what a node says of itself', async () => {
    const [author] = mesh.nodes as [BeemeshNode]
    const before = author.services.members.self().issuedAtMs
    author.services.members.refresh()
    for (const node of others(author))
      await until(`until ${node.name} has heard it`, () => {
        const { issuedAtMs, labels } = node.services.members.get(author.peerId)!
        return (issuedAtMs > before && Object.keys(labels).length === 32) || undefined
      })
  })

  it('the largest statement of a provider reaches everybody', async () => {
    // given
    const heard = listen()
    const author = mesh.nodes[7]!
    const id = newId()
    const port = { containerPort: 65_535, hostPort: 65_535, hostIp: 'f'.repeat(64) }
    const workloads = Array.from({ length: 100 }, (_, ordinal) => ({
      workloadId: `${ordinal}`.padStart(63, 'w'),
      ordinal,
      state: 'running' as const,
      engine: 'e'.repeat(32),
      ports: [port, port, port, port, port]
    }))

    // when
    author.services.providers.announce(id, () => ({ version: 1, workloads }))

    // then
    for (const node of others(author))
      await until(`until ${node.name} has heard it`, () => {
        const bytes = heard.get(node)!.get(author.peerId)
        return (bytes !== undefined && bytes > 30_000) || undefined
      })
    const [found] = await mesh.nodes[3]!.services.providers.find(id, { limit: 1 })
    expect(found).to.include({ peerId: author.peerId })
    expect(found!.workloads).to.have.length(64)
  })
})
