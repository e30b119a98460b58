import { expect } from 'chai'
import { rolloutHistory, rolloutStatus, undo } from '../../../src/client/index.ts'
import { fetchRunning } from '../../../src/client/own/fetch.ts'
import { type Manifest, parseManifests } from '../../../src/manifest/index.ts'
import { EngineRegistry, MockEngine } from '../../../src/runtime/index.ts'
import type { SchedulerService } from '../../../src/scheduler/index.ts'
import { createMesh, type Mesh } from '../../fixtures/create-mesh.ts'
import { deployment, toYaml } from '../../fixtures/workload-files.ts'

/** Not among the services that everybody may use. */
const schedulerOf = (services: object) => (services as { scheduler: SchedulerService }).scheduler

const BAD = 'localhost/web:bad'

describe('client: a newer version over several nodes', () => {
  let mesh: Mesh
  beforeEach(async function () {
    this.timeout(30_000)
    mesh = await createMesh(
      3,
      {},
      {
        options(index) {
          const engines = new EngineRegistry()
          // one node cannot have an image that the others have
          engines.register(new MockEngine({ missingImages: index === 1 ? [BAD] : [] }))
          return { engines, watchIntervalMs: 50 }
        }
      }
    )
  })
  afterEach(() => mesh?.close())

  const web = (image: string, replicas = 3): Manifest[] =>
    parseManifests(
      toYaml(deployment({ name: 'web', replicas, image, annotations: { 'beemesh.io/strategy': 'spread' } }))
    )
  const versionsThatRun = async () => {
    const client = await mesh.client(0)
    const { manifestId } = (await client.held('web')).manifest
    return mesh.nodes.map(({ services }) => services.workloads.get(manifestId)?.version)
  }

  it('comes to one node after the other', async function () {
    this.timeout(30_000)
    const client = await mesh.client(0)
    await client.apply(web('localhost/web:1'))
    const told: string[] = []
    await client.apply(web('localhost/web:2'), {
      onProgress: ({ node, state }) => void told.push(`${node} ${state}`)
    })
    const begun = told.flatMap((line, index) => (line.endsWith('accepted') ? [index] : []))
    const ended = told.flatMap((line, index) => (line.endsWith('running') ? [index] : []))
    expect(begun).to.have.length(3)
    expect(ended[0]).to.be.lessThan(begun[1]!)
    expect(ended[1]).to.be.lessThan(begun[2]!)
    const status = await rolloutStatus(client, 'web')
    expect(status).to.include({ complete: true, updated: 3, replicas: 3 })
  })

  it('is turned back everywhere when one node cannot run it', async function () {
    this.timeout(40_000)
    // given
    const client = await mesh.client(0)
    const [first] = await client.apply(web('localhost/web:1'))
    expect(new Set(first!.placements.map(({ node }) => node)).size).to.equal(3)
    // when
    const [result] = await client.apply(web(BAD))
    // then
    expect(result!.rolledBack).to.include({ to: first!.version })
    expect(BigInt(result!.version) > BigInt(result!.rolledBack!.from)).to.equal(true)
    const codes = result!.placements.map(({ node, error }) => [node, error?.code])
    expect(codes.filter(([, code]) => code !== undefined)).to.deep.equal([['node-1', 'IMAGE_NOT_FOUND']])
    expect(new Set(await versionsThatRun())).to.deep.equal(new Set([Number(result!.version)]))
    const { manifestId } = (await client.held('web')).manifest
    for (const { services } of mesh.nodes)
      expect(schedulerOf(services).keptBundle(manifestId)?.version).to.equal(Number(result!.version))
    expect(await rolloutStatus(client, 'web')).to.include({ complete: true })
  })

  it('can be undone, by the version before or by the one named', async function () {
    this.timeout(40_000)
    // given
    const client = await mesh.client(0)
    const imageOf = async () => {
      const { manifest } = await fetchRunning(client.session, await client.held('web'))
      return JSON.stringify(manifest.objects[0]).match(/localhost\/web:\d/)?.[0]
    }
    const [one] = await client.apply(web('localhost/web:1', 2))
    await client.apply(web('localhost/web:2', 2))
    await client.apply(web('localhost/web:3', 2))
    // then
    const { versions } = await rolloutHistory(client, 'web')
    expect(versions).to.have.length(3)
    expect(versions.map(({ current }) => current)).to.deep.equal([true, false, false])
    // when
    await undo(client, 'web')
    expect(await imageOf()).to.equal('localhost/web:2')
    const back = await undo(client, 'web', { to: Number(one!.version) })
    // then
    expect(await imageOf()).to.equal('localhost/web:1')
    expect(back.placements.every(({ error }) => error === undefined)).to.equal(true)
  })

  it('cannot be undone where nothing was before', async () => {
    const client = await mesh.client(0)
    await client.apply(web('localhost/web:1', 1))
    const error = await undo(client, 'web').then(
      () => undefined,
      (thrown: { code: string }) => thrown.code
    )
    expect(error).to.equal('NO_VERSION_BEFORE')
  })
})
