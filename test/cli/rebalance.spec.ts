import { expect } from 'chai'
import { expectDone } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { deployment } from '../fixtures/workload-files.ts'

describe('cli: rebalance', () => {
  let mesh: ProcessMesh
  before(async function () {
    this.timeout(40_000)
    mesh = await createProcessMesh({ nodes: ['anna', 'bert'] })
  })
  after(() => mesh?.close())

  it('proposes moves to a node that has joined, does them only when asked, and then has none left', async function () {
    this.timeout(90_000)
    // given
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    for (const [index, name] of names.entries())
      await mesh.given([deployment({ name })], [index % 2 === 0 ? 'anna' : 'bert'])
    await mesh.add({ name: 'cleo' })
    await mesh.settled()
    // when
    const planned = expectDone(await mesh.cli(['rebalance', '--dry-run', '--max', '2']), 'rebalance')
    // then
    expect(planned.moves).to.have.length(2)
    for (const { toName } of planned.moves) expect(toName).to.equal('cleo')
    const copiesOf = async () => {
      const { workloads } = expectDone(await mesh.cli(['get', 'workloads', '--all']), 'get-workloads')
      const nodes: string[] = workloads.flatMap(({ placements }: { placements: { node: string }[] }) =>
        placements.map(({ node }) => node)
      )
      return ['anna', 'bert', 'cleo'].map((name) => nodes.filter((node) => node === name).length)
    }
    expect(await copiesOf()).to.deep.equal([3, 3, 0])
    // when
    const args = ['rebalance', '--timeout', '40s']
    const done = expectDone(await mesh.cli(args, { deadlineMs: 45_000 }), 'rebalance')
    // then
    expect(done.copies.map(({ state }: { state: string }) => state)).to.deep.equal(['moved', 'moved'])
    expect(await copiesOf()).to.deep.equal([2, 2, 2])
    const again = expectDone(await mesh.cli(['rebalance', '--dry-run']), 'rebalance')
    expect(again.moves).to.deep.equal([])
  })
})
