import { expect } from 'chai'
import { parseManifests } from '../../src/manifest/index.ts'
import { RuntimeError } from '../../src/runtime/index.ts'
import { createLoneNode, type LoneNode } from '../fixtures/lone-node.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'

describe('workloads: what a copy reserves', () => {
  let lone: LoneNode
  afterEach(() => lone?.close())

  it('is taken from when it is accepted, and free again when the copy does not start', async () => {
    // given: an engine that gives up after a while, as it does at its deadline
    lone = await createLoneNode({}, { capacity: { machine: { memoryBytes: 1024 ** 3, cpuMillis: 1000 } } })
    const begun = Promise.withResolvers<void>()
    const over = Promise.withResolvers<never>()
    lone.engine.deploy = () => {
      begun.resolve()
      return over.promise
    }
    const reserved = () => lone.node.services.workloads.resources().reserved
    const requests = { cpu: '700m', memory: '100Mi' }
    const applied = lone.client.apply(parseManifests(toYaml(deployment({ name: 'first', requests }))))

    // when
    await begun.promise

    // then
    expect(reserved()).to.include({ cpuMillis: 700, pods: 1 })
    const second = await lone.client.apply(parseManifests(toYaml(deployment({ name: 'second', requests }))))
    expect(second[0]!.placements[0]!.error?.code).to.equal('NOTHING_FITS')

    // and when it is over
    over.reject(new RuntimeError('ENGINE_TIMEOUT', 'it took too long'))
    const [first] = await applied
    expect(first!.placements[0]!.error?.code).to.equal('ENGINE_TIMEOUT')
    expect(reserved()).to.include({ cpuMillis: 0, pods: 0 })
  })
})
