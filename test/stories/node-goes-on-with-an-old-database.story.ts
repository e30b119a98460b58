import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { expectDocument, expectDone } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { until } from '../fixtures/until.ts'
import { pod } from '../fixtures/workload-files.ts'

describe('scenario: a node goes on with an old copy of its database', function () {
  this.timeout(90_000)
  let mesh: ProcessMesh
  before(async () => {
    mesh = await createProcessMesh({ nodes: ['anna', 'bert', 'cleo'] })
  })
  after(() => mesh?.close())

  const verify = async () => {
    const run = await mesh.cli(['audit', 'verify', 'bert'])
    return { exitCode: run.exitCode, verdict: expectDocument('audit-verify', run.json()) }
  }
  it('and the heads that the others keep show that it had more', async () => {
    const [anna, bert] = mesh.nodes
    const db = join(bert!.dataDir, 'db')
    await mesh.given([pod({ name: 'early' })], ['bert'])
    await bert!.stop()
    await cp(db, `${db}.copy`, { recursive: true })
    await bert!.start()
    await mesh.settled()
    const headsOf = ({ verdict }: Awaited<ReturnType<typeof verify>>) =>
      verdict.witnesses
        .map(({ heads }: { heads: number }) => heads)
        .reduce((a: number, b: number) => a + b, 0)
    const shown = headsOf(await verify())
    await mesh.given([pod({ name: 'late' })], ['bert'])
    const before = await until(
      'until bert has shown the others how long its log is now',
      async () => {
        const one = await verify()
        expect(one.exitCode, JSON.stringify(one.verdict.faults)).to.equal(0)
        return headsOf(one) >= shown + 2 && one.verdict.witnesses.length === 2 ? one.verdict : undefined
      },
      { deadlineMs: 30_000 }
    )
    await bert!.stop()
    await rm(db, { recursive: true })
    await cp(`${db}.copy`, db, { recursive: true })
    await bert!.start()
    await mesh.settled()

    const { exitCode, verdict } = await verify()

    expect({ exitCode, intact: verdict.intact }).to.deep.equal({ exitCode: 1, intact: false })
    expect(verdict.entries).to.be.lessThan(before.entries)
    expect(verdict.faults[0].reason).to.be.oneOf(['shortened', 'contradicted'])
    expect(verdict.faults.flatMap(({ witnesses }: { witnesses: string[] }) => witnesses)).to.include.members([
      'anna',
      'cleo'
    ])
    const { stdout } = await runCli(['audit', 'verify', 'bert', '--node', 'anna'], { env: mesh.home.env })
    expect(stdout)
      .to.match(/^bert: BROKEN, \d+ entries/)
      .and.to.contain('as anna, cleo can show')
    await until('until anna says so', () => anna!.stderr.includes('the audit log of') || undefined, {
      deadlineMs: 30_000
    })
    expectDone(await mesh.cli(['audit', 'verify', 'cleo']), 'audit-verify')
  })
})
