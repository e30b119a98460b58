import { expect } from 'chai'
import { expectDone } from '../fixtures/cli-schemas.ts'
import { MachineMesh } from '../fixtures/create-machine-mesh.ts'
import type { Machine } from '../fixtures/hosts-machine.ts'
import { inChapters } from '../fixtures/in-chapters.ts'
import { deployment } from '../fixtures/workload-files.ts'

describe('scenario: four machines with Podman, of which some are lost and come back', function () {
  this.timeout(60_000)
  let mesh: MachineMesh | undefined
  let machines: readonly Machine[]
  let lost: Machine

  before(async function () {
    mesh = await MachineMesh.up(this, ['one', 'two', 'three', 'four'])
    machines = mesh.machines
    const annotations = { 'beemesh.io/strategy': 'spread' }
    const file = await mesh.file('web', deployment({ name: 'web', replicas: 2, annotations }))
    expectDone(await mesh.first.cli(['apply', '-f', file]), 'apply')
    await mesh.runTwice('at first')
  })

  inChapters(() => mesh?.machines ?? [])
  after(() => mesh?.down())

  it('one loses power in silence, and its copy comes back on another', async () => {
    const copies = await mesh!.copiesSeenBy(mesh!.first)
    lost = machines.find(({ name }) => name !== 'one' && copies.some(({ node }) => node === name))!
    await mesh!.hosts.kill(lost.host)
    await mesh!.runTwice(
      'elsewhere',
      machines.filter((machine) => machine !== lost)
    )
  })

  it('it is back, and nothing runs twice', async () => {
    await mesh!.hosts.boot(lost.host)
    await mesh!.startNode(lost)
    await mesh!.runTwice('and no third')
  })

  it('the network falls into halves, and both go on with all copies', async () => {
    const copies = await mesh!.copiesSeenBy(mesh!.first)
    // one copy on each side, so that each has to start the other
    const holders = machines.filter(({ name }) => copies.some(({ node }) => node === name))
    const spare = machines.filter((machine) => !holders.includes(machine))
    const halves = [0, 1].map((side) => [holders[side]!, spare[side]!])
    const [left, right] = halves.map((half) => half.map(({ host }) => host)) as [number[], number[]]
    await mesh!.hosts.part(left, right)
    await Promise.all(halves.map((half) => mesh!.runTwice(`with ${half.map(({ name }) => name)}`, half)))
    await mesh!.hosts.rejoin(left, right)
  })

  it('they meet again, and keep two copies of the four', async () => {
    expect(await mesh!.podsOf()).to.be.at.least(2)
    await mesh!.runTwice('on all of them')
  })
})
