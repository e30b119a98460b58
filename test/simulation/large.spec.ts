import { expect } from 'chai'
import { parseManifests } from '../../src/manifest/index.ts'
import { MAX_ASKED } from '../../src/scheduler/constants.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'
import { setStage } from './stage.ts'
import type { VirtualClock } from './time/clock.ts'
import { withVirtualTime } from './time/globals.ts'
import { dice } from './time/random.ts'

/** More than twice as many as are asked for bids, and as a search returns. */
const NODES = 110
const ZONE = 'topology.kubernetes.io/zone'

/** @param extra of the pod's spec */
function documentWith(name: string, replicas: number, extra: object, kind?: 'DaemonSet') {
  const document = deployment({ name, replicas }) as unknown as {
    kind: string
    spec: { replicas?: number; template: { spec: object } }
  }
  Object.assign(document.spec.template.spec, extra)
  if (kind !== undefined) {
    document.kind = kind
    delete document.spec.replicas
  }
  return parseManifests(toYaml(document))[0]!
}

describe('simulation: a mesh of more nodes than are asked', function () {
  this.timeout(120_000)

  const inMesh = (
    labels: (index: number) => Readonly<Record<string, string>>,
    tell: (clock: VirtualClock, stage: Awaited<ReturnType<typeof setStage>>) => Promise<void>
  ) =>
    withVirtualTime(dice(9), async (clock) => {
      const stage = await setStage(clock, { nodes: NODES, labels })
      await clock.run(clock.nowMs + 5_000)
      await tell(clock, stage)
    })

  it('the only nodes that match are found', () =>
    inMesh(
      (index) => ({ disk: index === 101 ? 'ssd' : 'hdd' }),
      async (clock, { mesh, owner, invariants }) => {
        for (const [index, name] of ['wa', 'wb', 'wc', 'wd'].entries()) {
          const manifest = documentWith(name, 1, { nodeSelector: { disk: 'ssd' } })
          clock.after(0, owner.host, () => {
            void owner.apply(name, mesh.machines[index * 7]!, { replicas: 1, change: 0, manifest })
          })
        }
        await clock.run(clock.nowMs + 10_000)
        expect(invariants.copies().map(({ machine }) => machine.name)).to.deep.equal([
          'n101',
          'n101',
          'n101',
          'n101'
        ])
      }
    ))

  it('copies are spread over zones of which one is small', () =>
    inMesh(
      (index) => ({ zone: index === 101 ? 'c' : index % 2 === 0 ? 'a' : 'b' }),
      async (clock, { mesh, owner, invariants }) => {
        for (const [index, name] of ['wa', 'wb', 'wc', 'wd'].entries()) {
          const labelSelector = { matchLabels: { app: name } }
          const spread = { maxSkew: 1, topologyKey: ZONE, whenUnsatisfiable: 'DoNotSchedule', labelSelector }
          const manifest = documentWith(name, 3, { topologySpreadConstraints: [spread] })
          clock.after(0, owner.host, () => {
            void owner.apply(name, mesh.machines[index * 7]!, { replicas: 3, change: 0, manifest })
          })
        }
        await clock.run(clock.nowMs + 10_000)
        const zones = Map.groupBy(invariants.copies(), ({ id }) => id)
        const seen = [...zones.values()].map((copies) =>
          copies
            .map(({ machine }) => machine.labels.zone)
            .sort()
            .join('')
        )
        expect(seen).to.deep.equal(['abc', 'abc', 'abc', 'abc'])
      }
    ))

  it('what runs stays where it is when it is applied anew through any node', () =>
    inMesh(
      () => ({}),
      async (clock, { mesh, owner, invariants }) => {
        const homes = () => [...new Set(invariants.copies().map(({ machine }) => machine.name))].sort()
        const apply = async (entry: number, grace: number) => {
          const manifest = documentWith('wa', 3, { terminationGracePeriodSeconds: grace })
          clock.after(0, owner.host, () => {
            void owner.apply('wa', mesh.machines[entry]!, { replicas: 3, change: 0, manifest })
          })
          await clock.run(clock.nowMs + 15_000)
        }
        await apply(0, 1)
        const before = homes()
        for (const [index, entry] of [20, 50, 80].entries()) {
          await apply(entry, index + 2)
          expect(homes(), `through n${entry}`).to.deep.equal(before)
        }
      }
    ))

  it('a DaemonSet comes to all of them, also to one that joins, and goes from all', () =>
    inMesh(
      () => ({}),
      async (clock, { mesh, owner, invariants }) => {
        // given
        const entry = mesh.machines[0]!
        const manifest = documentWith('wd', 1, {}, 'DaemonSet')
        const machines = () => invariants.copies().map(({ machine }) => machine.name)
        const actions = () =>
          mesh.machines.flatMap(({ daemon }) => daemon!.parts.healer.recent().map(({ action }) => action))

        // when
        clock.after(0, owner.host, () => void owner.apply('wd', entry, { replicas: 1, change: 0, manifest }))
        await clock.run(clock.nowMs + 30_000)

        // then
        expect(machines()).to.have.length(NODES)
        expect(new Set(machines()).size).to.equal(NODES)

        // when
        mesh.start(await mesh.add())
        await clock.run(clock.nowMs + 5_000)

        // then
        expect(machines()).to.have.length(NODES + 1)
        expect(actions(), 'nobody is given it twice').to.have.length(NODES + 1 - MAX_ASKED)

        // when
        clock.after(0, owner.host, () => void owner.delete('wd', entry))
        await clock.run(clock.nowMs + 10_000)

        // then
        expect(machines()).to.deep.equal([])
      }
    ))
})
