import { expect } from 'chai'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { until } from '../fixtures/until.ts'
import { deployment } from '../fixtures/workload-files.ts'

describe('scenario: a majority of the fence keepers is away', () => {
  let mesh: ProcessMesh
  beforeEach(async function () {
    this.timeout(60_000)
    mesh = await createProcessMesh({ nodes: ['n0', 'n1', 'n2'] })
  })
  afterEach(() => mesh?.close())

  for (const onPartition of ['stop', 'fence'] as const)
    it(`${onPartition}: the copy stops when its lease is over, and starts again when they are back`, async function () {
      this.timeout(90_000)
      // given
      const client = await mesh.client(0)
      const annotations = { 'beemesh.io/on-partition': onPartition }
      await mesh.given([deployment({ name: 'db', annotations })], ['n0'])
      const events = async () => {
        const found: string[] = []
        for await (const event of client.events('db', { signal: AbortSignal.timeout(8_000) }))
          if ('workloadId' in event && event.node === 'n0') found.push(`${event.type} ${event.reason ?? ''}`)
        return found
      }
      const state = async () => {
        const { placements } = await client.status('db', { signal: AbortSignal.timeout(8_000) })
        return placements.find(({ node }) => node === 'n0')?.state
      }
      expect(await state()).to.equal('running')
      // when
      for (const node of mesh.nodes.slice(1)) node.suspend()
      // then
      await until(
        'until it is stopped',
        async () => ((await events()).some((one) => one.startsWith('failed FENCED')) ? true : undefined),
        { deadlineMs: 25_000 }
      )
      expect(await state()).to.equal('failed')
      // when
      for (const node of mesh.nodes.slice(1)) node.resume()
      // then
      await until('until it runs again', async () => ((await state()) === 'running' ? true : undefined), {
        deadlineMs: 25_000
      })
      const told = await events()
      const fenced = told.findIndex((one) => one.startsWith('failed FENCED'))
      expect(fenced).to.be.greaterThan(0)
      expect(told.slice(fenced + 1).some((one) => one.startsWith('started'))).to.equal(true)
    })
})
