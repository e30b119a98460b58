import { expect } from 'chai'
import { ClientError } from '../../src/client/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { until } from '../fixtures/until.ts'
import { deployment, pod, toYaml } from '../fixtures/workload-files.ts'

async function failureOf(promise: Promise<unknown>): Promise<ClientError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown
  )
  expect(error).to.be.instanceOf(ClientError)
  return error as ClientError
}

describe('client: on a mesh whose nodes have one name', () => {
  let mesh: Mesh
  before(async () => {
    mesh = await createMesh(3, { name: 'twin' })
  })
  after(() => mesh?.close())

  it('refuses a name that two members have, and lists who they are', async () => {
    const client = await mesh.client(0)
    const error = await failureOf(client.apply(parseManifests(toYaml(pod({ name: 'a' }))), { to: ['twin'] }))
    expect(error.code).to.equal('NODE_AMBIGUOUS')
    expect((error.details.candidates as string[]).toSorted()).to.deep.equal(
      mesh.nodes.map(({ peerId }) => peerId).sort()
    )
  })

  it('takes each node once, however often and in whatever way it is named', async () => {
    const client = await mesh.client(0)
    const [, second] = mesh.nodes
    const to = [second!.peerId, second!.addresses()[0]!, second!.peerId]
    const [result] = await client.apply(parseManifests(toYaml(deployment({ name: 'b', replicas: 2 }))), {
      to
    })
    expect(result!.placements.map(({ peerId }) => peerId)).to.deep.equal([second!.peerId, second!.peerId])
  })

  it('shows progress of every copy in the order of its states', async () => {
    const client = await mesh.client(0)
    const states = new Map<string, string[]>()
    await client.apply(parseManifests(toYaml(deployment({ name: 'c', replicas: 3 }))), {
      to: mesh.nodes.map(({ peerId }) => peerId),
      onProgress: ({ workloadId, state }) =>
        states.set(workloadId, [...(states.get(workloadId) ?? []), state])
    })
    expect(states.size).to.equal(3)
    for (const seen of states.values()) expect(seen).to.deep.equal(['accepted', 'starting', 'running'])
  })

  it('applies the files of a burst at once, and every one of them runs', async () => {
    const client = await mesh.client(0)
    const documents = Array.from({ length: 16 }, (_, index) =>
      pod({ name: `burst-${index}`, containerPort: 80 })
    )
    const results = await client.apply(parseManifests(toYaml(...documents)), { to: [mesh.nodes[2]!.peerId] })
    expect(results.map(({ name }) => name)).to.deep.equal(documents.map((_, index) => `burst-${index}`))
    const ports = results.flatMap(({ placements }) =>
      placements.flatMap((one) => one.ports.map((p) => p.hostPort))
    )
    expect(new Set(ports).size).to.equal(16)
    for (const { placements } of results) expect(placements[0]!.state).to.equal('running')
  })

  it('a change that races with another leaves one version, and it runs', async () => {
    const client = await mesh.client(0)
    const applied = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        client.apply(parseManifests(toYaml(pod({ name: 'raced', command: ['sleep', String(index)] }))))
      )
    )
    const versions = applied.flatMap((results) => results.map(({ version }) => version))
    // each may have been placed elsewhere: the keepers see two copies too many and have them drained
    const status = await until('until one copy runs', async () => {
      const seen = await client.status('raced')
      const newest = versions.toSorted().at(-1)
      return seen.placements.length === 1 && seen.version === newest ? seen : undefined
    })
    expect(status.placements[0]!.state).to.equal('running')
  })
})
