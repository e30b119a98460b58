import { expect } from 'chai'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { deployment, writeManifest } from '../fixtures/workload-files.ts'

describe('cli: a node that does not answer', () => {
  let mesh: ProcessMesh

  before(async function () {
    this.timeout(40_000)
    mesh = await createProcessMesh({ nodes: ['a', 'b'] })
    const annotations = { 'beemesh.io/on-node-loss': 'keep' } // so that nobody takes over for b
    const file = await writeManifest(
      mesh.home,
      'pair',
      deployment({ name: 'pair', replicas: 2, annotations })
    )
    const applied = await mesh.cli(['apply', '-f', file, '--to', 'a', '--to', 'b'])
    expect(applied.exitCode, applied.stderr + applied.stdout).to.equal(0)
    mesh.nodes[1]!.suspend()
  })
  after(() => mesh?.close())

  it('is named by status, beside what the others say', async () => {
    const status = await mesh.cli(['status', 'pair'])
    expect(status.exitCode).to.equal(0)
    expect(status.json().unanswered).to.deep.equal(['b'])
    expect(status.stderr).to.include('no answer from b')
  }).timeout(20_000)

  it('makes a delete fail with its name, because its copy goes on running', async () => {
    const deleted = await mesh.cli(['delete', 'pair'])
    expect(deleted.exitCode).to.equal(1)
    const { placements } = deleted.json().results[0]
    const failed = placements.filter(({ error }: { error?: unknown }) => error !== undefined)
    expect(failed).to.have.length(1)
    expect(failed[0]).to.deep.include({ node: 'b', state: 'failed' })
    expect(failed[0].error.code).to.equal('NODE_UNREACHABLE')
  }).timeout(20_000)

  it('does not let a REF be called "not found" while it may hold it', async () => {
    const status = await mesh.cli(['status', 'pair'])
    expect(status.exitCode).to.equal(6)
    expect(status.json().error.code).to.equal('NODE_UNREACHABLE')
  }).timeout(20_000)
})
