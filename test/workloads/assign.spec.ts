import { expect } from 'chai'
import { parseManifests } from '../../src/manifest/index.ts'
import { RuntimeError } from '../../src/runtime/index.ts'
import type { SchedulerService } from '../../src/scheduler/index.ts'
import { createLoneNode, type LoneNode } from '../fixtures/lone-node.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'

describe('workloads: copies that a keeper gives to a node', () => {
  let lone: LoneNode
  afterEach(() => lone?.close())

  // found by npm run chaos: a fenced copy was stopped, because another one that came with it might not run yet
  it('go on when another one that came with them does not start, which leaves nothing', async () => {
    // given
    lone = await createLoneNode()
    await lone.client.apply(parseManifests(toYaml(deployment({ name: 'web', replicas: 3 }))))
    const { workloads } = lone.node.services
    const { scheduler } = lone.node.services as unknown as { scheduler: SchedulerService }
    const { record, bundle } = scheduler.kept()[0]!
    const { sealedKey } = workloads.get(record.manifestId)!.content!
    await workloads.drop(record.manifestId, [0, 1, 2])
    const { owner, ownerPeerId } = record
    const given = { owner, ownerPeerId, record, bundle, sealedKey, ordinals: [0, 1, 2], isKept: true }
    const running = () =>
      workloads.get(record.manifestId)!.workloads.map(({ ordinal, state }) => `${ordinal} ${state}`)

    // when
    const deploy = lone.engine.deploy.bind(lone.engine)
    lone.engine.deploy = async (request, options) => {
      if (request.pod.metadata.labels?.['beemesh.io/ordinal'] === '1')
        throw new RuntimeError('START_FAILED', 'no room for it')
      return deploy(request, options)
    }
    const { workloads: told } = await workloads.assign({ ...given, report: () => {} })

    // then
    expect(told.find(({ ordinal }) => ordinal === 1)!.message).to.equal('no room for it')
    expect(running()).to.deep.equal(['0 running', '2 running'])
    expect(lone.engine.workloadCount()).to.equal(2)

    // and when it can start
    lone.engine.deploy = deploy
    await workloads.assign({ ...given, ordinals: [1], report: () => {} })
    expect(running().sort()).to.deep.equal(['0 running', '1 running', '2 running'])
  })
})
