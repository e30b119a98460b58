import { expect } from 'chai'
import { expectDocument } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { startCli } from '../fixtures/start-cli.ts'
import { deployment } from '../fixtures/workload-files.ts'

describe('cli: logs -f', () => {
  let mesh: ProcessMesh
  before(async function () {
    this.timeout(30_000)
    mesh = await createProcessMesh({ nodes: ['anna', 'bert'] })
  })
  after(() => mesh?.close())

  const follow = async (name: string, ...more: string[]) => {
    await mesh.given([deployment({ name, replicas: 2 })], ['anna', 'bert'])
    return startCli(mesh.home, ['logs', name, '-f', '--node', 'anna', '-o', 'json', ...more])
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    it(`prints a JSON line for each line of every copy until ${signal}, which is exit 0`, async () => {
      const running = await follow(`until-${signal.toLowerCase()}`)
      const lines = [await running.nextLine(), await running.nextLine()].map((line) => JSON.parse(line!))
      for (const line of lines) expectDocument('log-line', line)
      expect(lines.map(({ node }) => node).sort()).to.deep.equal(['anna', 'bert'])
      running.child.kill(signal)
      expect(await running.exit).to.deep.equal({ code: 0, signal: null })
      expect(running.stderr()).to.equal('')
    })

  it('events -f prints a JSON line for each event of every node, the past first, until it is told to end', async () => {
    await mesh.given([deployment({ name: 'seen', replicas: 2 })], ['anna', 'bert'])
    const running = startCli(mesh.home, ['events', 'seen', '-f', '--node', 'anna', '-o', 'json'])
    const events: { node: string; type: string }[] = []
    const next = async (type: string) => {
      for (const waiting = new Set(['anna', 'bert']); waiting.size > 0; ) {
        const event = JSON.parse((await running.nextLine())!)
        expectDocument('event-line', event)
        events.push(event)
        if (event.type === type) waiting.delete(event.node)
      }
    }
    await next('started')
    await (await mesh.client()).delete('seen')
    await next('stopped')
    running.child.kill('SIGINT')
    expect(await running.exit).to.deep.equal({ code: 0, signal: null })
  })

  it('events -f tells of nodes too: joined, dead when one is killed, joined again, left when it stops', async () => {
    const running = startCli(mesh.home, ['events', '-f', '--node', 'anna', '-o', 'json'])
    const next = async (type: string) => {
      for (;;) {
        const event = JSON.parse((await running.nextLine())!)
        expectDocument('event-line', event)
        if (event.type === type && event.seenBy !== undefined) return event
      }
    }
    expect(await next('joined')).to.include({ node: 'bert', seenBy: 'anna' })
    const bert = mesh.nodes[1]!
    await bert.kill9()
    expect(await next('dead')).to.include({ node: 'bert', peerId: bert.peerId })
    await bert.start()
    const joined = await next('joined')
    expect(Date.now() - Date.parse(joined.timestamp)).to.be.within(0, 60_000)
    await bert.stop()
    expect(await next('left')).to.include({ node: 'bert' })
    running.child.kill('SIGINT')
    expect(await running.exit).to.deep.equal({ code: 0, signal: null })
    await bert.start()
  })

  it('ends by itself with exit 0 when the workload is deleted', async () => {
    const running = await follow('until-gone')
    await running.nextLine()
    await (await mesh.client()).delete('until-gone')
    expect(await running.exit).to.deep.equal({ code: 0, signal: null })
  })
})
