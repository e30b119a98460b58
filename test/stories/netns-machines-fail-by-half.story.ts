import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { expectDocument, expectDone } from '../fixtures/cli-schemas.ts'
import { MachineMesh } from '../fixtures/create-machine-mesh.ts'
import type { Machine } from '../fixtures/hosts-machine.ts'
import { inChapters } from '../fixtures/in-chapters.ts'
import { until } from '../fixtures/until.ts'
import { deployment, pod } from '../fixtures/workload-files.ts'

/** A node keeps its last GiB for itself. */
const SMALL_DISK = '1200m'
/** Longer than it takes to think a node dead, and to act on it. */
const WATCHED_MS = 15_000

describe('scenario: four machines with Podman, which fail by half', function () {
  this.timeout(90_000)
  let mesh: MachineMesh | undefined
  const annotations = { 'beemesh.io/strategy': 'spread' }
  const web = deployment({ name: 'web', replicas: 2, annotations })

  before(async function () {
    mesh = await MachineMesh.up(this, ['one', 'two', 'three', 'four'], async (machine) => {
      if (machine.name !== 'four') return
      // its state lies on a file system of its own, which can be filled
      const data = `${machine.home}/data`
      expect((await machine.exec(['mkdir', '-p', data])).exitCode).to.equal(0)
      const options = `size=${SMALL_DISK},mode=700`
      const mounted = await machine.exec(['mount', '-t', 'tmpfs', '-o', options, 'tmpfs', data])
      expect(mounted.exitCode, mounted.stderr).to.equal(0)
    })
    expectDone(await mesh.first.cli(['apply', '-f', await mesh.file('web', web)]), 'apply')
    await mesh.runTwice('at first')
  })

  inChapters(() => mesh?.machines ?? [])
  after(() => mesh?.down())

  /** IDs of the containers that run on all machines. */
  const containers = async () => {
    const ids = await Promise.all(
      mesh!.machines.map((one) => one.podman('ps', '-q', '--no-trunc', '--filter', 'status=running'))
    )
    return ids.flat().sort()
  }
  const holderOf = async (not?: Machine) => {
    const copies = await mesh!.copiesSeenBy(mesh!.first)
    return mesh!.machines.find(
      (machine) => machine !== not && copies.some(({ node }) => node === machine.name)
    )!
  }

  it('one no longer hears another that hears it: others hear both, and no copy is moved', async () => {
    const before = await containers()
    const holder = await holderOf()
    const deaf = mesh!.machines.find((machine) => machine !== holder)!
    await mesh!.hosts.block(deaf.host, holder.host)
    for (const end = performance.now() + WATCHED_MS; performance.now() < end; )
      expect(await containers()).to.deep.equal(before)
    await mesh!.hosts.unblock(deaf.host, holder.host)
    await mesh!.met(mesh!.first)
  })

  it('the machine that an apply goes through loses power in the middle of it', async () => {
    const [one, two] = mesh!.machines as [Machine, Machine]
    const file = await mesh!.file('half', deployment({ name: 'half', replicas: 2, annotations }))
    const argv = one.argv(['apply', '-f', file, '--node', two.nodeAddress, '--timeout', '30s'])
    const command = mesh!.hosts.spawn(one.host, argv, one.env)
    const ended = once(command, 'exit')
    for await (const line of createInterface({ input: command.stderr! })) if (line.includes('starting')) break
    await mesh!.hosts.kill(two.host)
    command.stderr!.resume()
    const [code] = await ended
    expect(code, 'it says how it ended').to.be.oneOf([0, 1, 5, 6])

    // the owner asks again, of another, and what was begun is not done twice
    expectDone(await one.cli(['apply', '-f', file], { deadlineMs: 40_000 }), 'apply')
    const left = mesh!.machines.filter((machine) => machine !== two)
    await mesh!.runTwice('without it', left, ['web', 'half'])
    await mesh!.hosts.boot(two.host)
    await mesh!.startNode(two)
    await mesh!.runTwice('with it again', undefined, ['web', 'half'])
    expectDone(await one.cli(['delete', 'half']), 'delete')
    await mesh!.runTwice('and none of what was deleted')
  })

  it('a node stands still while its containers run on, and gives way when it wakes', async () => {
    const frozen = await holderOf(mesh!.first)
    await frozen.freezeNode()
    await mesh!.runTwice(
      'elsewhere',
      mesh!.machines.filter((machine) => machine !== frozen)
    )
    await frozen.thawNode()
    await mesh!.runTwice('and no third')
  })

  it('every node is restarted, one after the other, and no container is', async () => {
    const before = await containers()
    for (const machine of mesh!.machines) {
      await machine.endNode('TERM')
      expect(await containers()).to.deep.equal(before)
      await mesh!.startNode(machine)
      await mesh!.met(machine)
    }
    await mesh!.runTwice('as before')
    expect(await containers()).to.deep.equal(before)
  })

  it('a disk is full: the node takes nothing and says why, and loses nothing that it took when there was room again', async () => {
    const [one, full] = [mesh!.first, mesh!.machine('four')]
    const fill = `${full.home}/data/fill`
    const before = await containers()
    await full.exec(['dd', 'if=/dev/zero', `of=${fill}`, 'bs=1M']) // ends when there is no room
    const refused = await mesh!.file('refused', pod({ name: 'refused' }))
    const answer = await one.cli(['apply', '-f', refused, '--to', 'four', '--timeout', '20s'], {
      deadlineMs: 30_000
    })
    const [{ error }] = expectDocument('apply', answer.json()).results[0].placements
    expect(error.code).to.be.oneOf(['STORE_WRITE_FAILED', 'INSUFFICIENT_RESOURCES'])
    expect(await containers()).to.deep.equal(before)

    await full.exec(['rm', fill])
    const taken = await mesh!.file('taken', pod({ name: 'taken' }))
    expectDone(await one.cli(['apply', '-f', taken, '--to', 'four']), 'apply')
    await full.endNode('KILL')
    await mesh!.startNode(full)
    await until('until it runs what it took', async () => {
      const [copy] = await mesh!.copiesSeenBy(one, 'taken')
      return copy?.node === 'four' || undefined
    })
    expectDone(await one.cli(['delete', 'taken']), 'delete')
  })
})
