import { expect } from 'chai'
import type { Client, ManifestResult } from '../../src/client/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { EngineRegistry, MockEngine } from '../../src/runtime/index.ts'
import { createLoneNode, type LoneNode } from '../fixtures/lone-node.ts'

interface Wanted {
  readonly kind?: 'Deployment' | 'Pod'
  readonly replicas?: number
  readonly image?: string
  readonly container?: object
  readonly pod?: object
  readonly strategy?: object
}

function web({
  kind = 'Deployment',
  replicas = 1,
  image = 'localhost/web:1',
  container,
  pod,
  strategy
}: Wanted = {}) {
  const spec = {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image, ...container }],
    ...pod
  }
  const labels = { app: 'web' }
  const document =
    kind === 'Pod'
      ? { apiVersion: 'v1', kind, metadata: { name: 'web' }, spec }
      : {
          apiVersion: 'apps/v1',
          kind,
          metadata: { name: 'web' },
          spec: {
            replicas,
            selector: { matchLabels: labels },
            template: { metadata: { labels }, spec },
            strategy
          }
        }
  return parseManifests(JSON.stringify(document))
}

async function applied(client: Client, wanted?: Wanted, to?: string): Promise<ManifestResult> {
  const [result] = await client.apply(web(wanted), { to: to === undefined ? [] : [to] })
  return result!
}

const idsOf = ({ placements }: ManifestResult) => placements.map(({ workloadId }) => workloadId).sort()
const codesOf = ({ placements }: ManifestResult) => placements.map(({ error }) => error?.code)

describe('workloads: the life of a copy', () => {
  let lone: LoneNode
  afterEach(() => lone?.close())

  it('starts an ended container again in place, then with a back-off that it names', async () => {
    // given
    lone = await createLoneNode()
    const [id] = idsOf(await applied(lone.client))

    // when
    lone.engine.exitContainer(id!, 'main', 3)
    const { atMs } = await lone.event(({ type }) => type === 'restarted')
    await lone.event((event) => event.type === 'started' && event.atMs >= atMs && event.reason === undefined)
    lone.engine.exitContainer(id!, 'main', 3)

    // then
    const waiting = await lone.event(({ reason }) => reason?.startsWith('CrashLoopBackOff') ?? false)
    expect(waiting.reason).to.match(/^CrashLoopBackOff: container main ended with 3; restart 2 in 1 s$/)
    expect(waiting.workloadId).to.equal(id)
  })

  it('tells a kill for memory from an exit code', async () => {
    lone = await createLoneNode({ script: () => ({ outOfMemory: true }) })
    const result = await applied(lone.client)
    expect(result.placements[0]!.error?.message).to.include('used more memory than its limit')
  })

  it('leaves a container ended when its policy is Never', async () => {
    lone = await createLoneNode()
    const [id] = idsOf(await applied(lone.client, { kind: 'Pod', pod: { restartPolicy: 'Never' } }))
    lone.engine.exitContainer(id!, 'main', 0)
    await lone.event(({ type }) => type === 'stopped')
    const [status] = await lone.client.workloads()
    expect(status!.placements[0]).to.include({ state: 'stopped', workloadId: id })
    expect(lone.node.services.workloads.recentEvents().some(({ type }) => type === 'restarted')).to.equal(
      false
    )
  })

  it('is ready when its readiness probe says so, and not ready when it stops saying so', async () => {
    // given
    let answer = 1
    lone = await createLoneNode({ exec: async () => answer })
    const probe = { exec: { command: ['check'] }, periodSeconds: 1, failureThreshold: 1 }
    await applied(lone.client, { container: { readinessProbe: probe } })
    expect((await lone.client.workloads())[0]!.placements[0]!.state).to.equal('running')

    // when
    answer = 0
    await lone.event(({ type }) => type === 'ready')

    // then
    expect((await lone.client.workloads())[0]!.placements[0]!.state).to.equal('ready')
    answer = 1
    await lone.event(({ reason }) => reason === 'the readiness probe failed')
    expect((await lone.client.workloads())[0]!.placements[0]!.state).to.equal('running')
  })

  it('is started again when its liveness probe has failed often enough', async () => {
    lone = await createLoneNode({ exec: async () => 1 })
    const probe = { exec: { command: ['check'] }, periodSeconds: 1, failureThreshold: 1 }
    await applied(lone.client, { container: { livenessProbe: probe } })
    const failed = await lone.event(({ type }) => type === 'failed')
    expect(failed.reason).to.include('container main: the liveness probe failed')
    await lone.event(({ type }) => type === 'restarted')
  })

  it('does nothing when the same content is applied again, and says so', async () => {
    lone = await createLoneNode()
    const first = await applied(lone.client, { replicas: 2 })
    const second = await applied(lone.client, { replicas: 2 })
    expect(idsOf(second)).to.deep.equal(idsOf(first))
    expect(second.placements.map(({ unchanged }) => unchanged)).to.deep.equal([true, true])
    expect(Number(second.version)).to.be.above(Number(first.version))
  })

  it('replaces copies by those of a newer version, and only then removes the old ones', async () => {
    lone = await createLoneNode()
    const first = await applied(lone.client, { replicas: 2 })
    const counts: number[] = []
    const [second] = await lone.client.apply(web({ replicas: 2, image: 'localhost/web:2' }), {
      onProgress: () => counts.push(lone.engine.workloadCount())
    })
    expect(codesOf(second!)).to.deep.equal([undefined, undefined])
    expect(idsOf(second!)).to.not.include.members(idsOf(first))
    expect(Math.min(...counts)).to.be.at.least(2)
    expect(lone.engine.workloadCount()).to.equal(2)
  })

  it('replaces as many at a time as may run above the number, and no more', async () => {
    lone = await createLoneNode()
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 1 } }
    await applied(lone.client, { replicas: 5, strategy })
    const counts: number[] = []
    await lone.client.apply(web({ replicas: 5, strategy, image: 'localhost/web:2' }), {
      onProgress: () => counts.push(lone.engine.workloadCount())
    })
    expect(Math.min(...counts)).to.be.at.least(5)
    expect(Math.max(...counts)).to.equal(7)
    expect(lone.engine.workloadCount()).to.equal(5)
  })

  it('stops as many at a time as may be missing where none may run above the number', async () => {
    lone = await createLoneNode()
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 2 } }
    await applied(lone.client, { replicas: 5, strategy })
    const counts: number[] = []
    await lone.client.apply(web({ replicas: 5, strategy, image: 'localhost/web:2' }), {
      onProgress: () => counts.push(lone.engine.workloadCount())
    })
    expect(Math.max(...counts)).to.be.at.most(5)
    expect(Math.min(...counts)).to.be.within(3, 4)
    expect(lone.engine.workloadCount()).to.equal(5)
  })

  it('keeps the old copies when the new ones do not start, and takes no older version afterwards', async () => {
    lone = await createLoneNode({ missingImages: ['localhost/web:2'] })
    const first = await applied(lone.client, { replicas: 2 })
    const failed = await applied(lone.client, { replicas: 2, image: 'localhost/web:2' })
    expect(codesOf(failed)).to.include.members(['IMAGE_NOT_FOUND', 'ROLLED_BACK', undefined])
    const [status] = await lone.client.workloads()
    expect(idsOf(status!)).to.deep.equal(idsOf(first))
    expect(failed.rolledBack).to.include({ to: first.version })
    expect(status!.version).to.equal(failed.version)
    const [held] = lone.node.services.workloads.list()
    expect(String(held!.highest.version)).to.equal(failed.version)
  })

  it('leaves nothing of a first apply of which one copy fails', async () => {
    lone = await createLoneNode({ successRate: 0.5, seed: 7 })
    const result = await applied(lone.client, { replicas: 6 })
    expect(codesOf(result)).to.include('ROLLED_BACK')
    expect(lone.engine.workloadCount()).to.equal(0)
    expect(await lone.client.workloads()).to.deep.equal([])
  })

  it('refuses what does not fit, with the numbers, and books nothing', async () => {
    lone = await createLoneNode({}, { capacity: { machine: { memoryBytes: 1024 ** 3, cpuMillis: 1000 } } })
    const resources = { limits: { memory: '400Mi', cpu: '100m' } }
    const result = await applied(lone.client, { replicas: 2, container: { resources } }, lone.node.name)
    expect(codesOf(result)).to.deep.equal(['INSUFFICIENT_RESOURCES', 'INSUFFICIENT_RESOURCES'])
    expect(result.placements[0]!.error!.message).to.match(
      /memoryBytes wanted 838860800, free 536870912 of 536870912/
    )
    const disk = { requests: { 'ephemeral-storage': '900Ti' } }
    const huge = await applied(lone.client, { container: { resources: disk } }, lone.node.name)
    expect(huge.placements[0]!.error!.message).to.match(
      /no room: storageBytes wanted 989560464998400, free \d+ of \d+/
    )
    const one = await applied(lone.client, { replicas: 1, container: { resources } })
    expect(codesOf(one)).to.deep.equal([undefined])
    expect(lone.node.services.workloads.resources().reserved).to.include({
      memoryBytes: 419430400,
      cpuMillis: 100,
      pods: 1
    })
    await lone.client.delete('web')
    expect(lone.node.services.workloads.resources().reserved).to.include({
      memoryBytes: 0,
      cpuMillis: 0,
      pods: 0
    })
  })

  it('runs what fits, and says of the rest by how much the nearest node falls short', async () => {
    lone = await createLoneNode({}, { capacity: { machine: { memoryBytes: 1024 ** 3, cpuMillis: 1000 } } })
    const resources = { limits: { memory: '400Mi', cpu: '100m' } }
    const { placements } = await applied(lone.client, { replicas: 2, container: { resources } })
    expect(placements.map(({ error }) => error?.code)).to.deep.equal([undefined, 'NOTHING_FITS'])
    expect(placements[1]!.error!.message).to.match(/memory.*short/)
  })

  it('remembers its events after a restart', async () => {
    lone = await createLoneNode()
    await applied(lone.client)
    await lone.restart()
    const types = lone.node.services.workloads.recentEvents().map(({ type }) => type)
    expect(types.slice(0, 3)).to.deep.equal(['accepted', 'starting', 'started'])
  })

  it('keeps what runs, and goes on working, when the clock jumps a day there and back', async () => {
    // given
    let offsetMs = 0
    lone = await createLoneNode({}, { now: () => Date.now() + offsetMs })
    const [id] = idsOf(await applied(lone.client))

    for (const jumpMs of [86_400_000, -86_400_000]) {
      // when
      offsetMs = jumpMs
      lone.engine.exitContainer(id!, 'main', 1)
      const since = Date.now() + offsetMs - 1_000
      await lone.event(({ type, atMs }) => type === 'restarted' && Math.abs(atMs - since) < 60_000)

      // then
      const [status] = await lone.client.workloads()
      expect(idsOf(status!)).to.deep.equal([id])
    }
    expect(codesOf(await applied(lone.client, { image: 'localhost/web:2' }))).to.deep.equal([undefined])
  })

  it('starts, and works on the others, beside an engine that hangs', async () => {
    // given
    const mock = new MockEngine()
    const hung = new MockEngine()
    const never = () => new Promise<never>(() => {})
    const engines = new EngineRegistry()
    engines.register(mock)
    engines.register(Object.assign(hung, { name: 'hung', isAvailable: never, list: never }))

    // when
    lone = await createLoneNode({}, { engines })
    const result = await applied(lone.client)

    // then
    expect(codesOf(result)).to.deep.equal([undefined])
    expect(mock.workloadCount()).to.equal(1)
  })
})
