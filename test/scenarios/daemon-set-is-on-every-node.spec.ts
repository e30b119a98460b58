import { expect } from 'chai'
import { parseManifests } from '../../src/manifest/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { until } from '../fixtures/until.ts'

const AGENT = JSON.stringify({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent' },
  spec: {
    selector: { matchLabels: { app: 'agent' } },
    template: {
      metadata: { labels: { app: 'agent' } },
      spec: {
        nodeSelector: { zone: 'cellar' },
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'main', image: 'localhost/agent:1' }]
      }
    }
  }
})

describe('scenario: a DaemonSet', function () {
  this.timeout(60_000)
  let mesh: Mesh
  afterEach(() => mesh?.close())

  it('runs on every node that matches, also on one that joins later', async () => {
    // given
    mesh = await createMesh(2, { labels: { zone: 'cellar' } })
    const client = await mesh.client(0)
    const runsOn = () =>
      mesh.nodes.filter(({ services }) =>
        services.workloads.list().some(({ workloads }) => workloads.some(({ state }) => state === 'running'))
      ).length
    await client.apply(parseManifests(AGENT))
    expect(runsOn()).to.equal(2)

    // when
    await mesh.join()

    // then
    await until('it runs on the third', () => runsOn() === 3 || undefined, { deadlineMs: 30_000 })
  })
})
