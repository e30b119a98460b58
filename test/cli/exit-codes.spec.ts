import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { expectDocument, expectDone, expectFailure } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { type CliResult, runCli } from '../fixtures/run-cli.ts'
import { createTestHome, type TestHome } from '../fixtures/test-home.ts'
import { deployment, pod, writeManifest } from '../fixtures/workload-files.ts'

const NOBODY = '12D3KooWAi1ZBsqJszmfhjE3BCyCeLcf87J6ecR9Gw65UFoFE3fF'

describe('cli: exit codes without a node', () => {
  let home: TestHome
  let results: CliResult[]
  before(async () => {
    home = await createTestHome()
    results = await Promise.all(usage.map(([, args]) => runCli([...args, '-o', 'json'], { env: home.env })))
  })
  after(() => home?.close())

  const usage: readonly (readonly [string, readonly string[]])[] = [
    ['an unknown command', ['fly']],
    ['an unknown option', ['get', 'nodes', '--fast']],
    ['a required option that is missing', ['apply']],
    ['an argument too many', ['status', 'a', 'b']],
    ['a timeout that is no duration', ['get', 'nodes', '--timeout', 'soon']],
    ['a tail that is no number', ['logs', 'x', '--tail', 'all']],
    ['delete of nothing', ['delete']],
    ['a label without a value', ['node', 'start', '--label', 'zone']]
  ]
  for (const [index, [what]] of usage.entries())
    it(`2 and one JSON document for ${what}`, () => {
      const result = results[index]!
      const error = expectFailure(result, 2, 'USAGE')
      expect(error.message).not.to.match(/^error: /)
      expect(result.stderr).to.equal('')
    })

  it('2 for an output format that does not exist, said on stderr', async () => {
    const result = await runCli(['get', 'nodes', '-o', 'xml'], { env: home.env })
    expect(result).to.include({ exitCode: 2, stdout: '' })
    expect(result.stderr).to.include('xml')
  })

  it('2 for settings of a node that cannot be, before anything is written', async () => {
    const start = ['node', 'start', '-o', 'json', '--data-dir', `${home.path}/never`]
    const refused: readonly (readonly [string, readonly string[]])[] = [
      ['CONFIG_INVALID', ['--engine', 'steam']],
      ['CONFIG_INVALID', ['--network', 'a', '--network-key', 'b']],
      ['OWNERS_FILE_INVALID', ['--owner', 'me', '--network', 'a', '--data-dir', join(home.path, 'other')]],
      ['CONFIG_UNREADABLE', ['--config', '/nowhere.yaml']]
    ]
    const answers = await Promise.all(
      refused.map(([, args]) => runCli([...start, ...args], { env: home.env }))
    )
    for (const [index, [code]] of refused.entries()) expectFailure(answers[index]!, 2, code)
    expect(existsSync(join(home.path, 'never'))).to.equal(false)
  })

  it('6 when no node runs on this machine, with what to do', async () => {
    const error = expectFailure(
      await runCli(['get', 'nodes', '-o', 'json'], { env: home.env }),
      6,
      'NO_LOCAL_NODE'
    )
    expect(error.hint).to.include('beemesh node start')
  })

  it('6 when the entry node cannot be reached', async () => {
    const args = [
      'get',
      'nodes',
      '-o',
      'json',
      '--node',
      `/ip4/127.0.0.1/tcp/1/p2p/${NOBODY}`,
      '--network',
      'x'
    ]
    expectFailure(await runCli(args, { env: home.env }), 6, 'NODE_UNREACHABLE')
  })

  it('2 when the address of the entry node names no peer ID', async () => {
    const args = ['get', 'nodes', '-o', 'json', '--node', '/ip4/127.0.0.1/tcp/1', '--network', 'x']
    expectFailure(await runCli(args, { env: home.env }), 2, 'NODE_ADDRESS_INVALID')
  })

  it('0 for help and its text on stdout', async () => {
    const result = await runCli(['--help'], { env: home.env })
    expect(result.exitCode).to.equal(0)
    expect(result.stdout).to.include('Usage: beemesh')
  })
})

describe('cli: exit codes with nodes', () => {
  let mesh: ProcessMesh
  before(async function () {
    this.timeout(30_000)
    mesh = await createProcessMesh({
      nodes: ['anna', { name: 'bert', args: ['--no-scheduling'] }, 'cleo', 'dora']
    })
  })
  after(() => mesh?.close())

  const applyTo = async (to: string, ...more: string[]) => {
    const file = await writeManifest(mesh.home, 'web', pod({ name: 'web' }))
    return mesh.cli(['apply', '-f', file, '--to', to, ...more])
  }

  it('2 with the list when several nodes run on this machine and none is named', async () => {
    const result = await runCli(['get', 'nodes', '-o', 'json'], { env: mesh.home.env })
    const { details } = expectFailure(result, 2, 'SEVERAL_LOCAL_NODES')
    const listed = details.nodes as { name: string; peerId: string; address: string }[]
    expect(listed.map(({ name }) => name)).to.deep.equal(['anna', 'bert', 'cleo', 'dora'])
    expect(listed[0]!.address).to.equal(mesh.nodes[0]!.address)
  })

  it('2 with the candidates when a Pod and a Deployment have one name', async () => {
    await mesh.given([pod({ name: 'twin' }), deployment({ name: 'twin' })])
    const commands = ['status', 'logs', 'delete', 'providers']
    const answers = await Promise.all(commands.map((command) => mesh.cli([command, 'twin'])))
    for (const [index, answer] of answers.entries()) {
      const { details } = expectFailure(answer, 2, 'REF_AMBIGUOUS')
      const refs = (details.candidates as { ref: string }[]).map(({ ref }) => ref)
      expect(refs.sort(), commands[index]).to.deep.equal(['Deployment/twin', 'Pod/twin'])
    }
    expectDone(await mesh.cli(['delete', 'pod/twin']), 'delete')
    expectDone(await mesh.cli(['status', 'twin']), 'status')
  })

  it('1 when the target takes no workloads', async () => {
    const result = await applyTo('bert')
    const [{ placements }] = expectDocument('apply', result.json()).results
    expect(result.exitCode).to.equal(1)
    expect(placements[0].error.code).to.equal('NOT_SCHEDULABLE')
  })

  it('4 for what is not found: a name, an ID, a node', async () => {
    const unknown = 'bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    for (const args of [
      ['status', 'nothing'],
      ['logs', unknown],
      ['delete', 'pod/nothing'],
      ['status', 'cat/web']
    ])
      expectFailure(await mesh.cli(args), 4, 'REF_NOT_FOUND')
    const { details } = expectFailure(await applyTo('zoe'), 4, 'NODE_UNKNOWN')
    expect(details.known).to.include('anna')
  })

  it('5 when --timeout is over before the answer came', async () => {
    const error = expectFailure(await mesh.cli(['get', 'nodes', '--timeout', '1ms']), 5, 'TIMED_OUT')
    expect(error.message).to.include('--timeout')
  })

  it('5 when the target hangs, and the others are not kept waiting', async () => {
    const [, , , dora] = mesh.nodes
    dora!.suspend()
    try {
      const result = await applyTo('dora', '--timeout', '1500ms')
      expect(result.exitCode, result.stdout).to.equal(5)
      expect(expectDocument('apply', result.json()).results[0].placements[0].error.code).to.equal('TIMED_OUT')
      expect(result.durationMs).to.be.lessThan(4_000)
      expectDone(await applyTo('anna'), 'apply')
    } finally {
      dora!.resume()
    }
  })

  it('5 when the entry node hangs', async () => {
    const [, , , dora] = mesh.nodes
    dora!.suspend()
    try {
      expectFailure(await mesh.cli(['get', 'nodes', '--timeout', '1s'], { entry: 3 }), 5, 'TIMED_OUT')
    } finally {
      dora!.resume()
    }
  })

  it('6 when the target is gone, or was never there', async () => {
    await mesh.nodes[2]!.kill9()
    const gone = await applyTo('cleo')
    expect(expectDocument('apply', gone.json()).results[0].placements[0].error.code).to.equal(
      'NODE_UNREACHABLE'
    )
    expect(gone.exitCode).to.equal(6)
    const never = await applyTo(`/ip4/127.0.0.1/tcp/1/p2p/${NOBODY}`)
    expectFailure(never, 6, 'NODE_UNREACHABLE')
  })
})
