import { expect } from 'chai'
import { parseManifests } from '../../src/manifest/index.ts'
import { EngineRegistry, MockEngine } from '../../src/runtime/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { until } from '../fixtures/until.ts'
import { toYaml } from '../fixtures/workload-files.ts'

/** Two measurements, a period of the keeper of 15 s, bids and starts. */
const SCALED_WITHIN_MS = 60_000

const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          { name: 'main', image: 'localhost/web:1', resources: { requests: { cpu: '100m', memory: '16Mi' } } }
        ]
      }
    }
  }
}
const AUTOSCALER = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web' },
  spec: {
    scaleTargetRef: { kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 3,
    metrics: [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }
    ],
    behavior: { scaleDown: { stabilizationWindowSeconds: 0 } }
  }
}

describe('scenario: load rises and falls, and the number of copies follows', () => {
  let mesh: Mesh
  afterEach(() => mesh?.close())

  it('up to the maximum of its owner and back, the highest numbers going first', async function () {
    this.timeout(200_000)
    // given: a load that the copies share
    let totalMillis = 40
    const engines: MockEngine[] = []
    const running = () => engines.reduce((sum, engine) => sum + engine.workloadCount(), 0)
    mesh = await createMesh(
      4,
      {},
      {
        options: (index) => {
          const registry = new EngineRegistry()
          const usage = () => ({ cpuMillis: totalMillis / Math.max(1, running()), memoryBytes: 2 ** 20 })
          engines[index] = new MockEngine({ usage })
          registry.register(engines[index])
          return { engines: registry, watchIntervalMs: 400 }
        }
      }
    )
    const client = await mesh.client(0)
    await client.apply(parseManifests(toYaml(DEPLOYMENT, AUTOSCALER)))
    expect(running()).to.equal(1)
    let most = 0
    const becomes = (copies: number) =>
      until(
        `until ${copies} copies run`,
        async () => {
          most = Math.max(most, running())
          return running() === copies ? true : undefined
        },
        { deadlineMs: SCALED_WITHIN_MS }
      )

    // when
    totalMillis = 1_000
    // then
    await becomes(3)

    // when
    totalMillis = 30
    // then
    await becomes(1)
    expect(most).to.equal(3)
    const { placements } = await client.status('web')
    expect(placements.map(({ ordinal }) => ordinal)).to.deep.equal([0])
  })
})
