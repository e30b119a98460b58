import { expect } from 'chai'
import { createProcessMesh, membersSeenBy, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import type { NodeProcess } from '../fixtures/node-process.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { until } from '../fixtures/until.ts'

describe('scenario: a node dies, falls silent, or stops, and the others notice', function () {
  this.timeout(60_000)
  let mesh: ProcessMesh
  let anna: NodeProcess
  let cyd: NodeProcess

  before(async () => {
    mesh = await createProcessMesh({ nodes: ['anna', 'bert', 'cyd'] })
    ;[anna, , cyd] = mesh.nodes as [NodeProcess, NodeProcess, NodeProcess]
  })
  after(() => mesh?.close())

  /** Until both others think so; resolves with the state of everybody in the eyes of anna. */
  async function seen(of: NodeProcess, state: string): Promise<Record<string, string>> {
    const others = mesh.nodes.filter((node) => node !== of)
    await until(`until ${of.init.name} is ${state}`, async () => {
      const views = await Promise.all(others.map((node) => membersSeenBy(mesh.home, node)))
      return (
        views.every((view) => view.find(({ peerId }) => peerId === of.peerId)?.state === state) || undefined
      )
    })
    const view = await membersSeenBy(mesh.home, anna)
    return Object.fromEntries(view.map(({ name, state }) => [name, state]))
  }

  it('a node that stands still is dead, and alive when it goes on', async () => {
    cyd.suspend()
    expect(await seen(cyd, 'dead')).to.deep.equal({ anna: 'alive', bert: 'alive', cyd: 'dead' })
    const { nodes } = (await mesh.cli(['get', 'nodes'])).json() as {
      nodes: { name: string; state: string }[]
    }
    expect(nodes.find(({ name }) => name === 'cyd')).to.include({ state: 'dead', connected: false })
    cyd.resume()
    expect(await seen(cyd, 'alive')).to.deep.equal({ anna: 'alive', bert: 'alive', cyd: 'alive' })
    await mesh.settled()
  })

  it('a node that is killed is dead, and alive when it is started again', async () => {
    await cyd.kill9()
    expect(await seen(cyd, 'dead')).to.deep.equal({ anna: 'alive', bert: 'alive', cyd: 'dead' })
    await cyd.start()
    expect(await seen(cyd, 'alive')).to.deep.equal({ anna: 'alive', bert: 'alive', cyd: 'alive' })
  })

  it('a node that is stopped has left', async () => {
    await mesh.settled()
    await cyd.stop()
    expect(await seen(cyd, 'left')).to.deep.equal({ anna: 'alive', bert: 'alive', cyd: 'left' })
    const { stdout } = await runCli(['get', 'nodes', '--node', 'anna'], { env: mesh.home.env })
    expect(stdout).to.match(/^cyd +left /m)
    await cyd.start()
    expect(await seen(cyd, 'alive')).to.include({ cyd: 'alive' })
  })
})
