import { expect } from 'chai'
import { expectDone } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { containersOf, podman, requirePodman } from '../fixtures/podman.ts'
import { until } from '../fixtures/until.ts'
import { deployment, pod, writeManifest } from '../fixtures/workload-files.ts'

/** The only provider, asked on another node; undefined while there is none. */
async function providerSeenBy(mesh: ProcessMesh, ref: string, entry: number) {
  const client = await mesh.client(entry)
  return (await client.providers(ref, { signal: AbortSignal.timeout(5_000) })).providers[0]
}

/** So that nobody takes over while bert is away, however long its start takes here. */
const ON_BERT = { 'beemesh.io/nodes': 'bert' }

describe('cli: stopping and starting a node on the mock engine', () => {
  let mesh: ProcessMesh
  before(async function () {
    this.timeout(30_000)
    mesh = await createProcessMesh({ nodes: ['anna', 'bert'] })
  })
  after(() => mesh?.close())

  it('SIGTERM ends it with exit 0 and nothing more on stdout, and it leaves no word behind', async () => {
    const [, bert] = mesh.nodes
    expect(await bert!.stop()).to.deep.equal({ code: 0, signal: null })
    expect(bert!.stdout.trimEnd().split('\n')).to.have.length(1)
    const { nodes } = expectDone(await mesh.cli(['get', 'nodes']), 'get-nodes')
    expect(nodes.find(({ name }: { name: string }) => name === 'bert')).to.include({ connected: false })
  })

  it('comes back with the same identity on the same port', async () => {
    const [, bert] = mesh.nodes
    const before = bert!.ready
    await bert!.start()
    expect(bert!.ready).to.deep.include({ peerId: before.peerId, addresses: before.addresses })
    await mesh.settled()
  })

  it('after kill -9 it runs what it ran before, and is found as its provider again', async () => {
    const [, bert] = mesh.nodes
    const [given] = await mesh.given(
      [deployment({ name: 'kept', replicas: 2, containerPort: 80, annotations: ON_BERT })],
      ['bert']
    )
    await bert!.kill9()
    await bert!.start()
    const found = await until('until bert provides it again', () => providerSeenBy(mesh, 'kept', 0))
    expect(found).to.include({ node: 'bert', state: 'running' })
    const status = expectDone(await mesh.cli(['status', 'kept']), 'status')
    const { version, placements } = given!
    expect(status.version).to.equal(version)
    const ids = (all: readonly { workloadId: string }[]) => all.map(({ workloadId }) => workloadId)
    expect(ids(status.placements)).to.deep.equal(ids(placements))
  })

  it('what was deleted stays deleted after kill -9', async () => {
    const [, bert] = mesh.nodes
    await (await mesh.client()).delete('kept')
    await bert!.kill9()
    await bert!.start()
    const { workloads } = expectDone(await mesh.cli(['get', 'workloads'], { entry: 1 }), 'get-workloads')
    expect(workloads).to.deep.equal([])
  })
})

describe('cli: stopping and starting a node on Podman', () => {
  let mesh: ProcessMesh
  before(async function () {
    this.timeout(60_000)
    await requirePodman(this)
    mesh = await createProcessMesh({ nodes: ['anna', { name: 'bert', engine: 'podman' }] })
  })
  after(() => mesh?.close())

  const apply = async (name: string, document: object) => {
    const file = await writeManifest(mesh.home, name, document)
    return mesh.cli(['apply', '-f', file, '--to', 'bert'])
  }

  it('runs a real container that answers on its port and shows its lines', async () => {
    const { results } = expectDone(
      await apply('web', pod({ name: 'web', containerPort: 8080, annotations: ON_BERT })),
      'apply'
    )
    const [{ state, ports, engine }] = results[0].placements
    expect({ state, engine }).to.deep.equal({ state: 'running', engine: 'podman' })
    const answer = await until('until it answers', () => fetch(`http://127.0.0.1:${ports[0].hostPort}/`))
    expect(await answer.text()).to.include('hello from beemesh')
    const lines = await until('until the request is logged', async () => {
      const logs = expectDone(await mesh.cli(['logs', 'web']), 'logs')
      return logs.lines.length > 0 ? logs.lines : undefined
    })
    expect(lines[0]).to.include({ node: 'bert', container: 'main' })
  })

  it('1 when an image is not there, with a code, a sentence, and nothing left behind', async () => {
    const bert = mesh.nodes[1]!
    const result = await apply('lost', pod({ name: 'lost', image: 'localhost/not-there:1' }))
    const [{ placements }] = result.json().results
    expect(result.exitCode).to.equal(1)
    expect(placements[0]).to.deep.include({ node: 'bert', state: 'failed', ports: [] })
    expect(placements[0].error.code).to.equal('IMAGE_NOT_FOUND')
    expect(placements[0].error.message).to.include('localhost/not-there:1')
    expect((await containersOf(bert.peerId)).map(({ name }) => name).join()).not.to.include('lost')
    expect((await mesh.cli(['status', 'lost'])).exitCode).to.equal(4)
  })

  it('adopts after kill -9: the same container goes on, and is announced again', async () => {
    const bert = mesh.nodes[1]!
    const before = await containersOf(bert.peerId)
    expect(before).to.have.length(1)
    await bert.kill9()
    expect(await containersOf(bert.peerId)).to.deep.equal(before)
    await bert.start()
    const found = await until('until bert provides it again', () => providerSeenBy(mesh, 'web', 0))
    expect(found).to.include({ node: 'bert', state: 'running' })
    expect(await containersOf(bert.peerId)).to.deep.equal(before)
  })

  it('SIGTERM is exit 0 and leaves the container running; the next start adopts it', async () => {
    const bert = mesh.nodes[1]!
    const before = await containersOf(bert.peerId)
    expect(await bert.stop()).to.deep.equal({ code: 0, signal: null })
    expect(await containersOf(bert.peerId)).to.deep.equal(before)
    await bert.start()
    const status = await until('until bert is asked again', async () => {
      const result = await mesh.cli(['status', 'web'])
      return result.exitCode === 0 ? result.json() : undefined
    })
    expect(status.placements[0].state).to.equal('running')
    expect(await containersOf(bert.peerId)).to.deep.equal(before)
  })

  it('delete leaves no pod, no container and no volume of it', async () => {
    const bert = mesh.nodes[1]!
    expectDone(await mesh.cli(['delete', 'web']), 'delete')
    expect(await podman('pod', 'ps', '-q', '--filter', `label=beemesh.io/node=${bert.peerId}`)).to.equal('')
  })
})
