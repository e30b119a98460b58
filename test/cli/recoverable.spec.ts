import { expect } from 'chai'
import { expectDone } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { until } from '../fixtures/until.ts'
import { deployment } from '../fixtures/workload-files.ts'

describe('cli: how far a manifest is from being lost', () => {
  let mesh: ProcessMesh
  beforeEach(async function () {
    this.timeout(40_000)
    mesh = await createProcessMesh({ nodes: ['n0', 'n1', 'n2', 'n3', 'n4'] })
  })
  afterEach(() => mesh?.close())

  const text = async (...args: string[]) => runCli([...args, '--node', 'n0'], { env: mesh.home.env })

  it('status and get workloads tell shares, missing copies and that the next loss may be the last', async function () {
    this.timeout(60_000)
    // given: a copy that stays with its machine, so that it is missing when that is gone
    await mesh.given([
      deployment({
        name: 'web',
        annotations: { 'beemesh.io/on-node-loss': 'keep', 'beemesh.io/nodes': 'n4' }
      })
    ])
    // then
    const whole = expectDone(await mesh.cli(['status', 'web']), 'status')
    expect(whole).to.include({ missing: 0, replicas: 1 }).and.not.have.property('atRisk')
    expect(whole.recoverable).to.include({ threshold: 3, holders: 5, liveHolders: 5 })
    const before = await text('status', 'web')
    expect(before.stdout)
      .to.match(/ 5\/3\/5 shares +web-/)
      .and.match(/\nrecoverable: 5\/3\/5 shares\n/)
    expect(before.stderr).to.equal('')
    // when
    const dying = ['n3', 'n4'].map((name) => mesh.nodes.find(({ init }) => init.name === name)!)
    await Promise.all(dying.map((node) => node.kill9()))
    // then
    const left = await until('until two shares are gone', async () => {
      const status = expectDone(await mesh.cli(['status', 'web']), 'status')
      return status.recoverable?.liveHolders === 3 ? status : undefined
    })
    expect(left).to.include({ missing: 1, atRisk: true })
    const { workloads } = expectDone(await mesh.cli(['get', 'workloads', '--all']), 'get-workloads')
    expect(workloads[0]).to.include({ missing: 1, atRisk: true, name: '' })
    const after = await text('status', 'web')
    expect(after.stdout).to.match(/deployment\/web +0\/1 +1 missing +3\/3\/5 shares\n/)
    expect(after.stderr)
      .to.match(/warning: deployment\/web: 1 of 1 copies do not run\n/)
      .and.match(/warning: deployment\/web may be lost with the next node: 3 shares of its key are alive/)
  })
})
