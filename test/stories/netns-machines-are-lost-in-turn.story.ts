import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { expectDone } from '../fixtures/cli-schemas.ts'
import { MachineMesh } from '../fixtures/create-machine-mesh.ts'
import type { Machine } from '../fixtures/hosts-machine.ts'
import { inChapters } from '../fixtures/in-chapters.ts'
import { until } from '../fixtures/until.ts'
import { deployment } from '../fixtures/workload-files.ts'

const NAMES = ['one', 'two', 'three', 'four', 'five']
/** Longer than it takes to think a node dead, and to act on it. */
const WATCHED_MS = 15_000
const CLOCK_OFF_MS = 20_000

describe('scenario: five machines with Podman, which are lost in turn', function () {
  this.timeout(120_000)
  let mesh: MachineMesh | undefined
  const annotations = { 'beemesh.io/strategy': 'spread' }

  before(async function () {
    mesh = await MachineMesh.up(this, NAMES)
    const file = await mesh.file('web', deployment({ name: 'web', replicas: 2, annotations }))
    expectDone(await mesh.first.cli(['apply', '-f', file]), 'apply')
    await mesh.runTwice('at first')
  })

  inChapters(() => mesh?.machines ?? [])
  after(() => mesh?.down())

  const without = (...gone: readonly Machine[]) => mesh!.machines.filter((one) => !gone.includes(one))
  const holders = async (by: Machine = mesh!.first) => {
    const copies = await mesh!.copiesSeenBy(by)
    return mesh!.machines.filter(({ name }) => copies.some(({ node }) => node === name))
  }
  const comesBack = async (...machines: readonly Machine[]) => {
    await Promise.all(machines.map(({ host }) => mesh!.hosts.boot(host)))
    for (const machine of machines) await mesh!.startNode(machine)
    await mesh!.runTwice('and no third')
  }
  const containers = async () => {
    const ids = await Promise.all(
      mesh!.machines.map((one) => one.podman('ps', '-q', '--no-trunc', '--filter', 'status=running'))
    )
    return ids.flat().sort()
  }

  it('one hears a fifth less than is sent to it: nothing is moved, and what is applied there runs', async () => {
    const [holder] = (await holders()) as [Machine]
    const before = await containers()
    await mesh!.hosts.loss(holder.host, 0.2)
    for (const end = performance.now() + WATCHED_MS; performance.now() < end; )
      expect(await containers()).to.deep.equal(before)
    const file = await mesh!.file('lossy', deployment({ name: 'lossy', replicas: 2, annotations }))
    expectDone(await holder.cli(['apply', '-f', file], { deadlineMs: 60_000 }), 'apply')
    await mesh!.hosts.loss(holder.host, 0)
    await mesh!.runTwice('beside it', undefined, ['web', 'lossy'])
    expectDone(await mesh!.first.cli(['delete', 'lossy']), 'delete')
    await mesh!.runTwice('and none of what was deleted')
  })

  it('a node is killed while its containers run on: its copy is elsewhere, and one of the two goes when it is back', async () => {
    const killed = (await holders()).find((one) => one !== mesh!.first)!
    await killed.endNode('KILL')
    await mesh!.runTwice('elsewhere', without(killed))
    await mesh!.startNode(killed)
    await mesh!.runTwice('and no third')
  })

  it('the keeper that acts is killed at its decision: the next one goes on', async () => {
    const lost = (await holders()).find((one) => one !== mesh!.first)!
    const acting = new Promise<Machine>((resolve) => {
      for (const machine of without(lost))
        machine.onStderr = (text) => {
          if (text.includes('asking for bids')) resolve(machine)
        }
    })
    await mesh!.hosts.kill(lost.host)
    const keeper = await acting
    await keeper.endNode('KILL')
    for (const machine of mesh!.machines) machine.onStderr = () => {}
    const left = without(lost, keeper)
    await until(
      'until the others have two copies',
      async () => {
        const seen = await mesh!.copiesSeenBy(left[0]!)
        const own = seen.filter(({ node }) => node !== lost.name)
        return new Set(own.map(({ ordinal }) => ordinal)).size === 2 || undefined
      },
      { deadlineMs: 25_000 }
    )
    await mesh!.startNode(keeper)
    await comesBack(lost)
  })

  it('all that run it lose power at once: the key is rebuilt from shares, and both copies are elsewhere', async () => {
    const lost = await holders()
    await Promise.all(lost.map(({ host }) => mesh!.hosts.kill(host)))
    await mesh!.runTwice('elsewhere', without(...lost))
    await comesBack(...lost)
  })

  it('the machine of the owner is gone: those that run it are lost in turn, and nothing is missed', async () => {
    const [owner] = mesh!.machines as [Machine]
    await mesh!.hosts.kill(owner.host)
    await mesh!.runTwice('without it', without(owner))
    const watcher = mesh!.machines.at(-1)!
    const lost = (await holders(watcher)).find((one) => one !== watcher && one !== owner)!
    await mesh!.hosts.kill(lost.host)
    await mesh!.runTwice('without either', without(owner, lost))
    await mesh!.hosts.boot(owner.host)
    await mesh!.startNode(owner)
    await comesBack(lost)
  })

  it(`the clock of a node is wrong by ${CLOCK_OFF_MS / 1000} s: it keeps its copies, takes others, and is replaced as any other`, async () => {
    for (const offMs of [-CLOCK_OFF_MS, CLOCK_OFF_MS]) {
      const wrong = (await holders()).find((one) => one !== mesh!.first)!
      const before = await containers()
      await wrong.endNode('TERM')
      wrong.env.NODE_OPTIONS = `--import=${await clockOff(mesh!, offMs)}`
      await mesh!.startNode(wrong)
      delete wrong.env.NODE_OPTIONS
      await mesh!.met(mesh!.first)
      await mesh!.runTwice('as before')
      expect(await containers()).to.deep.equal(before)
      const file = await mesh!.file('late', deployment({ name: 'late', replicas: 1 }))
      const to = ['--to', wrong.name]
      expectDone(await mesh!.first.cli(['apply', '-f', file, ...to], { deadlineMs: 30_000 }), 'apply')
      expectDone(await mesh!.first.cli(['delete', 'late']), 'delete')
      await mesh!.hosts.kill(wrong.host)
      await mesh!.runTwice('elsewhere', without(wrong))
      await comesBack(wrong)
    }
  })

  it('machines come and go while manifests are changed: in the end all is as it was signed', async () => {
    const [first, ...others] = mesh!.machines as [Machine, ...Machine[]]
    for (const [index, machine] of others.entries()) {
      const next = others[(index + 1) % others.length]!
      await mesh!.hosts.kill(machine.host)
      await next.endNode('KILL')
      const requests = { cpu: `${10 + index}m` }
      const web = deployment({ name: 'web', replicas: 2, annotations, requests })
      await first.cli(['apply', '-f', await mesh!.file('web', web), '--timeout', '10s'], {
        deadlineMs: 30_000
      })
      await mesh!.startNode(next)
      await mesh!.hosts.boot(machine.host)
      await mesh!.startNode(machine)
    }
    const file = await mesh!.file('web', deployment({ name: 'web', replicas: 2, annotations }))
    await mesh!.met(first)
    expectDone(await first.cli(['apply', '-f', file], { deadlineMs: 60_000 }), 'apply')
    await mesh!.runTwice('in the end')
  })
})

/** What a process reads of the time of day is off; what its machine measures is not. @returns a module to start it with */
async function clockOff({ hosts }: MachineMesh, offMs: number): Promise<string> {
  const path = join(hosts.dir, `clock${offMs}.mjs`)
  const text = `const real = Date.now
globalThis.Date = class extends Date {
  constructor(...given) { if (given.length === 0) super(real() + ${offMs}); else super(...given) }
  static now() { return real() + ${offMs} }
}
`
  await writeFile(path, text)
  return path
}
