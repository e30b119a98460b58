import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { changeSecretFile } from '../../src/identity/index.ts'
import { expectDone, expectFailure } from '../fixtures/cli-schemas.ts'
import { NodeProcess } from '../fixtures/node-process.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { createTestHome, type TestHome } from '../fixtures/test-home.ts'
import { pod, writeManifest } from '../fixtures/workload-files.ts'

describe('cli: --node over libp2p', () => {
  let home: TestHome
  let open: NodeProcess
  let closed: NodeProcess
  /** As on another machine: the identity, but no runtime directory where nodes leave word. */
  let elsewhere: NodeJS.ProcessEnv
  let keyFile: string
  before(async function () {
    this.timeout(30_000)
    home = await createTestHome()
    keyFile = join(home.path, 'mesh.key')
    open = new NodeProcess({ home, name: 'open', network: ['--network', 'garden'] })
    await open.start()
    closed = new NodeProcess({ home, name: 'closed', network: ['--network-key', keyFile] })
    await closed.start()
    elsewhere = { ...home.env, BEEMESH_RUNTIME_DIR: join(home.path, 'elsewhere') }
  })
  after(() => home?.close())

  const cli = (args: readonly string[], env: NodeJS.ProcessEnv = elsewhere) =>
    runCli([...args, '-o', 'json'], { env })

  it('speaks to a node of an open network by its name', async () => {
    const { nodes } = expectDone(
      await cli(['get', 'nodes', '--node', open.address, '--network', 'garden']),
      'get-nodes'
    )
    expect(nodes[0]).to.include({ name: 'open', entry: true, member: true })
  })

  it('speaks to a node of a private network with its key', async () => {
    const args = ['--node', closed.address, '--network-key', keyFile]
    const file = await writeManifest(home, 'web', pod({ name: 'web', containerPort: 80 }))
    const { results } = expectDone(await cli(['apply', '-f', file, ...args]), 'apply')
    expect(results[0].placements[0]).to.include({ node: 'closed', state: 'running' })
    expectDone(await cli(['status', 'web', ...args]), 'status')
    expect(expectDone(await cli(['logs', 'web', ...args]), 'logs').lines).to.have.length(1)
    expectDone(await cli(['delete', 'web', ...args]), 'delete')
  })

  it('speaks to one whose key is under a passphrase, which is never shown', async () => {
    const file = join(home.path, 'locked.key')
    await copyFile(keyFile, file)
    await changeSecretFile(file, { to: 'encrypted', passphrase: async () => 'open sesame' })
    const args = ['get', 'nodes', '--node', closed.address, '--network-key', file]
    const said = (passphrase: string) => ({ ...elsewhere, BEEMESH_PASSPHRASE: passphrase })

    expectDone(await cli(args, said('open sesame')), 'get-nodes')
    expectFailure(await cli(args), 2, 'PASSPHRASE_NEEDED')
    const wrong = await cli(args, said('open barley'))
    expectFailure(wrong, 3, 'PASSPHRASE_WRONG')
    expect(wrong.stdout + wrong.stderr).not.to.contain('barley')
  })

  it('takes node and network from the environment', async () => {
    const env = { ...elsewhere, BEEMESH_NODE: open.address, BEEMESH_NETWORK: 'garden' }
    expectDone(await cli(['get', 'nodes'], env), 'get-nodes')
    const privately = { ...elsewhere, BEEMESH_NODE: closed.address, BEEMESH_NETWORK_KEY: keyFile }
    expectDone(await cli(['get', 'workloads'], privately), 'get-workloads')
  })

  it('cannot reach a node of a private network without its key, or with the name of an open one', async () => {
    const other = join(home.path, 'other.key')
    const node = new NodeProcess({ home, name: 'other', network: ['--network-key', other] })
    await node.start()
    const args = ['get', 'nodes', '--node', closed.address, '--timeout', '12s']
    const answers = await Promise.all([
      cli([...args, '--network', 'garden']),
      cli([...args, '--network-key', other])
    ])
    for (const answer of answers) {
      const { hint } = expectFailure(answer, 6, 'NODE_UNREACHABLE')
      expect(hint).to.include('network')
      expect(answer.durationMs).to.be.lessThan(8_000)
    }
  })

  it('cannot ask a node in the name of another network', async () => {
    const error = expectFailure(
      await cli(['get', 'nodes', '--node', open.address, '--network', 'orchard']),
      6,
      'NODE_UNREACHABLE'
    )
    expect(error.message).to.include('orchard')
    expect(error.hint).to.include('--network')
  })

  it('refuses a stranger over libp2p with exit 3', async () => {
    const env = { ...home.person('guest'), BEEMESH_RUNTIME_DIR: join(home.path, 'elsewhere') }
    expectFailure(
      await cli(['get', 'nodes', '--node', open.address, '--network', 'garden'], env),
      3,
      'NOT_AUTHORISED'
    )
  })

  it('knows the open network of a node on this machine without being told', async () => {
    expectDone(await cli(['get', 'nodes', '--node', open.address], home.env), 'get-nodes')
    expectDone(await cli(['get', 'nodes', '--node', open.peerId], home.env), 'get-nodes')
  })

  it('answers 2 when no single node of that name runs on this machine', async () => {
    expectFailure(await cli(['get', 'nodes', '--node', 'nobody'], home.env), 2, 'USAGE')
  })
})
