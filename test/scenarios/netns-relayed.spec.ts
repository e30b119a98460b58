import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { expectDocument, expectDone } from '../fixtures/cli-schemas.ts'
import { Hosts, requireHosts } from '../fixtures/hosts.ts'
import { Machine } from '../fixtures/hosts-machine.ts'
import { inChapters } from '../fixtures/in-chapters.ts'
import { requirePodman } from '../fixtures/podman.ts'
import { until } from '../fixtures/until.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'

/** From the start of the relay to its places being taken again. Chosen from what the intervals of reach and members allow. */
const BACK_MS = 10_000
/** Of log lines followed in one go: well above the 128 KiB at which libp2p's own relay limits end a connection. */
const FOLLOWED_BYTES = 400 * 1024
/** Prints that much, then goes on slowly, so that what is read last was printed while it was followed. */
const TALK = `i=0; while [ $i -lt 4000 ]; do i=$((i+1)); echo "line $i ${'x'.repeat(100)}"; done; while true; do echo tick; sleep 0.2; done`

interface NodeLine {
  readonly name: string
  readonly connected: boolean
  readonly path?: 'direct' | 'relayed'
  readonly addresses: readonly string[]
  readonly roundTripMs?: number
  readonly version: string
  readonly lastSeen: string
}

describe('scenario: two machines that cannot dial each other, and a bootstrap node both can', function () {
  this.timeout(30_000)
  let hosts: Hosts | undefined
  let relay: Machine
  let east: Machine
  let west: Machine
  let file: string
  let other: string

  const nodes = async (from: Machine): Promise<NodeLine[]> =>
    expectDone(await from.cli(['get', 'nodes']), 'get-nodes').nodes
  const pathBetween = (from: Machine, to: Machine, path: 'direct' | 'relayed', deadlineMs = BACK_MS) =>
    until(
      `until ${to.name} is ${path} for ${from.name}`,
      async () => (await nodes(from)).find((node) => node.name === to.name && node.path === path),
      { deadlineMs }
    )

  before(async function () {
    await requireHosts(this)
    await requirePodman(this)
    hosts = await Hosts.up(3)
    await hosts.load()
    relay = new Machine(hosts, 1, 'relay')
    east = new Machine(hosts, 2, 'east')
    west = new Machine(hosts, 3, 'west')
    file = join(hosts.dir, 'hello.yaml')
    // it stays with its node: without the relay each of the two is alone and would else run it, too
    const annotations = { 'beemesh.io/on-node-loss': 'keep' }
    await writeFile(file, toYaml(deployment({ name: 'hello', command: ['sh', '-c', TALK], annotations })))
    other = join(hosts.dir, 'other.yaml')
    await writeFile(other, toYaml(deployment({ name: 'other' })))
    await hosts.block(2, 3)
    await hosts.block(3, 2)
  })

  inChapters(() => [relay, east, west])

  after(() => hosts?.down())

  it('see each other relayed, each with an address through the relay', async () => {
    // given
    await relay.startNode(['--role', 'bootstrap'])
    await Promise.all([east, west].map((machine) => relay.copyKeysTo(machine)))
    // when
    await Promise.all([east, west].map((machine) => machine.startNode(['--bootstrap', relay.nodeAddress])))
    // then
    const seen = await Promise.all([pathBetween(east, west, 'relayed'), pathBetween(west, east, 'relayed')])
    for (const { addresses } of seen) expect(addresses).to.include(`${relay.nodeAddress}/p2p-circuit`)
    expect((await nodes(east)).find(({ name }) => name === 'relay')?.path).to.equal('direct')
  })

  it('apply, find and follow logs through the relay', async () => {
    const { results } = expectDone(await east.cli(['apply', '-f', file, '--to', 'west']), 'apply')
    expect(results[0].placements[0]).to.include({ node: 'west', state: 'running' })
    const { providers } = expectDone(await east.cli(['providers', 'hello']), 'providers')
    expect(providers[0]).to.include({ node: 'west', state: 'running' })
    const follow = hosts!.spawn(2, east.argv(['logs', 'hello', '-f', '--tail', '10000']), east.env)
    const lines = createInterface({ input: follow.stdout! })
    let bytes = 0
    let ticks = 0
    for await (const text of lines) {
      const { line } = JSON.parse(text)
      bytes += line.length
      if (line === 'tick' && ++ticks === 3) break
    }
    expect(bytes).to.be.greaterThan(FOLLOWED_BYTES)
    follow.kill() // the way to it; the command sees its end when it writes the next line
  })

  it('answer a command that reaches its entry node through the relay', async () => {
    const address = `${relay.nodeAddress}/p2p-circuit/p2p/${west.ready.peerId}`
    const { placements } = expectDone(await east.cli(['status', 'hello', '--node', address]), 'status')
    expect(placements[0]).to.include({ node: 'west', state: 'running' })
  })

  it('show version, round trip and when each was seen', async () => {
    const [measured] = await until(
      'until the round trip was measured',
      async () => {
        const found = (await nodes(east)).filter(
          ({ name, roundTripMs }) => name === 'west' && roundTripMs !== undefined
        )
        return found.length > 0 ? found : undefined
      },
      { deadlineMs: 15_000 }
    )
    expect(measured!.version).to.match(/^\d+\.\d+/)
    expect(Date.now() - Date.parse(measured!.lastSeen)).to.be.lessThan(5_000)
  })

  it('are refused by the bootstrap node itself, which takes no workloads', async () => {
    const refused = await east.cli(['apply', '-f', other, '--to', 'relay'])
    expectDocument('apply', refused.json())
    const { placements } = (refused.json() as { results: [{ placements: object[] }] }).results[0]
    expect(placements).to.have.length(1)
    expect(placements[0])
      .to.include({ node: 'relay', state: 'failed' })
      .and.nested.include({ 'error.code': 'NOT_SCHEDULABLE' })
    expect(refused.exitCode).to.equal(1)
  })

  it('work again soon after the relay was killed and started again', async () => {
    // given
    await relay.endNode('KILL')
    await until('until east notices', async () =>
      (await nodes(east)).find(({ name, connected }) => name === 'west' && !connected)
    )
    // when
    const startedAt = performance.now()
    await relay.startNode(['--role', 'bootstrap'])
    await Promise.all([pathBetween(east, west, 'relayed'), pathBetween(west, east, 'relayed')])
    console.log(`      relayed again after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
    // then
    const { placements } = expectDone(await east.cli(['status', 'hello']), 'status')
    expect(placements[0]).to.include({ node: 'west', state: 'running' })
  })
})
