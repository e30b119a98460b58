import { expect } from 'chai'
import { expectDocument, expectDone } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { startCli } from '../fixtures/start-cli.ts'
import { deployment, writeManifest } from '../fixtures/workload-files.ts'

describe('cli: logs -f', () => {
  let mesh: ProcessMesh
  before(async function () {
    this.timeout(30_000)
    mesh = await createProcessMesh({ nodes: ['anna', 'bert'] })
  })
  after(() => mesh?.close())

  const follow = async (name: string, ...more: string[]) => {
    const file = await writeManifest(mesh.home, name, deployment({ name, replicas: 2 }))
    expectDone(await mesh.cli(['apply', '-f', file, '--to', 'anna', '--to', 'bert']), 'apply')
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

  it('ends by itself with exit 0 when the workload is deleted', async () => {
    const running = await follow('until-gone')
    await running.nextLine()
    expectDone(await mesh.cli(['delete', 'until-gone']), 'delete')
    expect(await running.exit).to.deep.equal({ code: 0, signal: null })
  })

  it('follows from here on with --tail 0', async () => {
    const running = await follow('from-now', '--tail', '0')
    expectDone(await mesh.cli(['delete', 'from-now']), 'delete')
    await running.exit
    expect(running.stdout()).to.equal('')
  })
})
