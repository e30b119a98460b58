import { expect } from 'chai'
import { parseManifests } from '../../src/manifest/index.ts'
import { DEPLOY_TIMEOUT_MS } from '../../src/workloads/constants.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'
import { setStage } from './stage.ts'
import { withVirtualTime } from './time/globals.ts'
import { dice } from './time/random.ts'

describe('simulation: what a copy reserves', function () {
  this.timeout(30_000)

  it('is free again when its engine has not answered for as long as a start may take', () =>
    withVirtualTime(dice(5), async (clock) => {
      // given
      const { mesh, owner } = await setStage(clock, { nodes: 1 })
      const [machine] = mesh.machines
      const { containers } = machine!
      const engineFor = containers.engineFor.bind(containers)
      containers.engineFor = (host) => ({
        ...engineFor(host),
        deploy: (_request, { signal } = {}) =>
          new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
      })
      const [manifest] = parseManifests(toYaml(deployment({ name: 'web', requests: { cpu: '100m' } })))
      const reserved = () => machine!.daemon!.workloads.resources().reserved.cpuMillis
      await clock.run(clock.nowMs + 5_000)

      // when
      clock.after(0, owner.host, () => {
        void owner.apply('web', machine!, { replicas: 1, change: 0, manifest: manifest! })
      })
      await clock.run(clock.nowMs + DEPLOY_TIMEOUT_MS - 1_000)
      expect(reserved()).to.equal(100)
      await clock.run(clock.nowMs + 10_000)

      // then
      expect(reserved()).to.equal(0)
    }))
})
