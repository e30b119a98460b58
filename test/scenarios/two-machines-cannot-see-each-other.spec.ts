import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { expectDone } from '../fixtures/cli-schemas.ts'
import { Hosts, requireHosts } from '../fixtures/hosts.ts'
import { Machine } from '../fixtures/hosts-machine.ts'
import { until } from '../fixtures/until.ts'

/** Longer than it takes to call a silent member dead, and to try again one that only others reach. */
const LONG_ENOUGH_MS = 12_000
/** How often it is looked meanwhile. */
const LOOK_MS = 500

interface Seen {
  readonly name: string
  readonly state: string
  readonly connected: boolean
}

describe('scenario: two machines cannot see each other, a third sees both', function () {
  this.timeout(60_000)
  let hosts: Hosts | undefined
  let one: Machine
  let two: Machine
  let three: Machine

  async function seenBy(machine: Machine): Promise<Map<string, Seen>> {
    const { nodes } = expectDone(await machine.cli(['get', 'nodes']), 'get-nodes')
    return new Map((nodes as Seen[]).map((node) => [node.name, node]))
  }

  async function met(): Promise<void> {
    for (const machine of [one, two, three])
      await until(`until ${machine.name} is connected to all`, async () => {
        const all = [...(await seenBy(machine)).values()]
        return (all.length === 3 && all.every(({ connected }) => connected)) || undefined
      })
  }

  before(async function () {
    await requireHosts(this)
    hosts = await Hosts.up(3)
    one = new Machine(hosts, 1, 'one')
    two = new Machine(hosts, 2, 'two')
    three = new Machine(hosts, 3, 'three')
    await three.startNode(['--engine', 'mock'])
    await Promise.all([one, two].map((machine) => three.copyKeysTo(machine)))
    const join = ['--engine', 'mock', '--bootstrap', three.nodeAddress]
    await Promise.all([one, two].map((machine) => machine.startNode(join)))
    await met()
  })
  after(() => hosts?.down())

  it('and nobody is called dead, for as long as it lasts', async () => {
    await hosts!.block(1, 2)
    await hosts!.block(2, 1)
    const states = new Set<string>()
    const end = performance.now() + LONG_ENOUGH_MS
    while (performance.now() < end) {
      for (const machine of [one, two, three])
        for (const { state } of (await seenBy(machine)).values()) states.add(state)
      await sleep(LOOK_MS)
    }
    expect([...states])
      .to.include('alive')
      .and.to.not.include('dead')
  })

  it('and when the third is gone, each of the two is alone, as far as it can know', async () => {
    await hosts!.kill(3)
    await until(
      'until both are dead to the first',
      async () => {
        const all = await seenBy(one)
        return (all.get('two')?.state === 'dead' && all.get('three')?.state === 'dead') || undefined
      },
      { deadlineMs: 20_000 }
    )
  })

  it('and when they can see each other again, they meet by themselves', async () => {
    await hosts!.unblock(1, 2)
    await hosts!.unblock(2, 1)
    await until(
      'until the first is connected to the second',
      async () => {
        const two = (await seenBy(one)).get('two')
        return (two?.state === 'alive' && two.connected) || undefined
      },
      { deadlineMs: 40_000 }
    )
  })
})
