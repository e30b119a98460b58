import { join } from 'node:path'
import { expect } from 'chai'
import { expectDone } from '../fixtures/cli-schemas.ts'
import { NodeProcess } from '../fixtures/node-process.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { createTestHome, type TestHome } from '../fixtures/test-home.ts'
import { until } from '../fixtures/until.ts'

describe('scenario: three networks on one machine, each node told to join through another network', () => {
  let home: TestHome
  let nodes: NodeProcess[]
  before(async function () {
    this.timeout(30_000)
    home = await createTestHome()
    const start = async (name: string, network: string[], bootstrap: NodeProcess[]) => {
      const args = ['--log-level', 'debug', ...bootstrap.flatMap(({ address }) => ['--bootstrap', address])]
      const node = new NodeProcess({ home, name, network, args })
      await node.start()
      return node
    }
    const red = await start('red', ['--network', 'red'], [])
    const blue = await start('blue', ['--network', 'blue'], [red])
    const secret = await start('secret', ['--network-key', join(home.path, 'secret.key')], [red, blue])
    const other = await start('other', ['--network-key', join(home.path, 'other.key')], [secret, red])
    nodes = [red, blue, secret, other]
  })
  after(() => home?.close())

  it('every node stays alone, though they reach each other and have one owner', async () => {
    // a node of the red network that came last has met the first one long after the others tried
    const late = new NodeProcess({
      home,
      name: 'late',
      network: ['--network', 'red'],
      args: ['--bootstrap', nodes[0]!.address]
    })
    await late.start()
    const namesSeenBy = async ({ init }: NodeProcess) => {
      const result = await runCli(['get', 'nodes', '--all', '--node', init.name, '-o', 'json'], {
        env: home.env
      })
      return expectDone(result, 'get-nodes')
        .nodes.map(({ name }: { name: string }) => name)
        .sort()
    }
    await until(
      'until red sees late',
      async () => (await namesSeenBy(nodes[0]!)).includes('late') || undefined
    )
    expect(await namesSeenBy(nodes[0]!)).to.deep.equal(['late', 'red'])
    for (const node of nodes.slice(1)) expect(await namesSeenBy(node)).to.deep.equal([node.init.name])
  })

  it('a manifest of one network is unknown in every other, though its owner asks', async () => {
    const input = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web' },
      spec: { containers: [{ name: 'main', image: 'localhost/beemesh-demo:1' }] }
    })
    const cli = (node: string, ...args: string[]) =>
      runCli([...args, '--node', node, '-o', 'json'], { env: home.env, input })
    const { results } = expectDone(await cli('red', 'apply', '-f', '-'), 'apply')
    for (const node of ['blue', 'secret']) {
      const asked = await cli(node, 'providers', results[0].manifestId)
      expect(expectDone(asked, 'providers').providers).to.deep.equal([])
      expect(asked.durationMs, 'a node alone in its network does not wait for its DHT').to.be.lessThan(3_000)
      const { manifestId } = expectDone(await cli(node, 'providers', 'web'), 'providers')
      expect(manifestId, 'the network is part of the ID').not.to.equal(results[0].manifestId)
    }
  })
})
