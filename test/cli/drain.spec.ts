import { expect } from 'chai'
import { expectDone, expectFailure } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { until } from '../fixtures/until.ts'
import { deployment, writeManifest } from '../fixtures/workload-files.ts'

describe('cli: cordon, uncordon, drain', () => {
  let mesh: ProcessMesh
  beforeEach(async function () {
    this.timeout(40_000)
    mesh = await createProcessMesh({ nodes: ['anna', 'bert', 'cleo', 'dora'] })
  })
  afterEach(() => mesh?.close())

  const nodesOf = async (ref: string): Promise<string[]> =>
    expectDone(await mesh.cli(['status', ref]), 'status').placements.map(
      ({ ordinal, node }: { ordinal: number; node: string }) => `${ordinal} ${node}`
    )
  const bertIs = async () => {
    const { nodes } = expectDone(await mesh.cli(['get', 'nodes']), 'get-nodes')
    return nodes.find(({ name }: { name: string }) => name === 'bert').scheduling
  }

  it('a cordoned node takes nothing new, also after a restart, until it is uncordoned', async function () {
    this.timeout(60_000)
    // when
    const done = expectDone(await mesh.cli(['cordon', 'bert']), 'cordon')
    // then
    expect(done).to.include({ node: 'bert', scheduling: false })
    await until('until others know it', async () => ((await bertIs()) === false ? true : undefined))
    const text = await runCli(['get', 'nodes', '--node', 'anna'], { env: mesh.home.env })
    expect(text.stdout).to.match(/\nbert +connected +direct +member, SchedulingDisabled /)
    const file = await writeManifest(mesh.home, 'web', deployment({ name: 'web' }))
    const refused = await mesh.cli(['apply', '-f', file, '--to', 'bert'])
    expect(refused.json().results[0].placements[0].error.code).to.equal('NOT_SCHEDULABLE')
    // when
    const bert = mesh.nodes.find(({ init }) => init.name === 'bert')!
    await bert.kill9()
    await bert.start()
    await mesh.settled()
    // then
    await until('until it says so again', async () => ((await bertIs()) === false ? true : undefined))
    expect((await mesh.cli(['apply', '-f', file, '--to', 'bert'])).exitCode).to.equal(1)
    // when
    expect(expectDone(await mesh.cli(['uncordon', 'bert']), 'cordon')).to.include({ scheduling: true })
    // then
    expectDone(await mesh.cli(['apply', '-f', file, '--to', 'bert']), 'apply')
  })

  it('drain has others run every copy before it stops, and leaves what belongs to the node', async function () {
    this.timeout(60_000)
    // given
    await mesh.given([deployment({ name: 'web', replicas: 2 })], ['bert', 'anna'])
    await mesh.given(
      [deployment({ name: 'data', annotations: { 'beemesh.io/on-node-loss': 'keep' } })],
      ['bert']
    )
    const fenced = deployment({ name: 'fenced', annotations: { 'beemesh.io/on-partition': 'fence' } })
    await mesh.given([fenced], ['bert'])
    // when
    const result = await mesh.cli(['drain', 'bert', '--timeout', '40s'], { deadlineMs: 45_000 })
    // then
    const { copies } = expectDone(result, 'drain')
    const byName = (name: string) => copies.find((one: { name: string }) => one.name === name)
    expect(byName('deployment/web')).to.include({ ordinal: 0, state: 'moved' })
    expect(byName('deployment/fenced')).to.include({ ordinal: 0, state: 'moved' })
    expect((await nodesOf('fenced')).join()).to.match(/^0 (anna|cleo|dora)$/)
    expect(byName('deployment/data')).to.include({ state: 'stays' })
    expect(byName('deployment/data').message).to.match(/beemesh\.io\/on-node-loss: recreate/)
    expect(result.stderr).to.match(/copy 0 of deployment\/web: moving to (anna|cleo|dora)\n/)
    expect(result.stderr).to.match(/copy 0 of deployment\/web: moved to (anna|cleo|dora)\n/)
    const after = await nodesOf('web')
    expect(after).to.have.length(2)
    expect(after.join()).not.to.match(/bert/)
    expect(await nodesOf('data')).to.deep.equal(['0 bert'])
    expect(await bertIs()).to.equal(false)
  })

  it('drain of a node whose copies fit nowhere else says so, and they go on', async function () {
    this.timeout(60_000)
    await mesh.given([deployment({ name: 'web', annotations: { 'beemesh.io/nodes': 'bert' } })])
    const result = await mesh.cli(['drain', 'bert', '--timeout', '20s'], { deadlineMs: 25_000 })
    expect(result.exitCode).to.equal(1)
    const [copy] = result.json().copies
    expect(copy).to.include({ state: 'failed', code: 'NOTHING_FITS' })
    expect(await nodesOf('web')).to.deep.equal(['0 bert'])
  })

  it('a node that nobody knows cannot be drained', async () => {
    expectFailure(await mesh.cli(['drain', 'zoe']), 4, 'NODE_UNKNOWN')
    expectFailure(await mesh.cli(['cordon']), 2, 'USAGE')
  })
})
