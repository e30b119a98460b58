import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { expectDone, expectFailure } from '../fixtures/cli-schemas.ts'
import { NodeProcess } from '../fixtures/node-process.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { createTestHome, type TestHome } from '../fixtures/test-home.ts'

describe('cli: invite, join, grants', function () {
  this.timeout(60_000)
  let home: TestHome
  let anna: NodeProcess
  before(async () => {
    home = await createTestHome()
    anna = new NodeProcess({ home, name: 'anna', network: ['--network-key', join(home.path, 'net')] })
    await anna.start()
  })
  after(() => home?.close())

  const cli = (...args: string[]) => runCli([...args, '-o', 'json'], { env: home.env })
  const invite = async (...more: string[]) => {
    const key = ['--network-key', join(home.path, 'net')]
    return expectDone(await cli('invite', '--node', 'anna', ...key, ...more), 'invite').invite as string
  }
  const joining = (name: string, line: string) =>
    new NodeProcess({
      home,
      name,
      network: ['--network-key', join(home.path, `net-of-${name}`)],
      args: ['--identity', join(home.path, `identity-of-${name}`)],
      env: { ...home.env, BEEMESH_PASSPHRASE: 'open sesame' },
      join: line
    })

  it('one line makes a machine a member that obeys whoever invited it, also when it starts again without', async () => {
    const line = await invite()
    const bert = joining('bert', line)
    const ready = await bert.start()
    expect(ready.owners).to.deep.equal(anna.ready.owners)
    const status = async () => {
      const { nodes } = expectDone(await cli('get', 'nodes', '--node', 'anna'), 'get-nodes')
      return nodes.find(({ name }: { name: string }) => name === 'bert')
    }
    expect(await status()).to.include({ member: true, connected: true })
    const netOfBert = join(home.path, 'net-of-bert')
    expect((await stat(netOfBert)).mode & 0o777).to.equal(0o600)
    expect(await readFile(netOfBert, 'utf8')).to.match(/^\{"beemesh-encrypted":1,/)

    await bert.stop()
    const again = new NodeProcess({ ...bert.init, join: undefined })
    const restarted = await again.start()
    expect(restarted.peerId).to.equal(ready.peerId)
    expect(await status()).to.include({ member: true, connected: true })

    const away = expectDone(
      await cli('grant', 'revoke', '--member', 'bert', '--node', 'anna'),
      'grant-revoke'
    )
    expect(away.ids).to.have.lengthOf(1)
    const { nodes } = expectDone(await cli('get', 'nodes', '--all', '--node', 'anna'), 'get-nodes')
    expect(nodes.find(({ name }: { name: string }) => name === 'bert')).to.include({ member: false })
    expectFailure(await cli('grant', 'revoke', '--member', 'nobody', '--node', 'anna'), 2, 'USAGE')

    const late = await runCli(
      [
        'join',
        line,
        '--data-dir',
        join(home.path, 'late'),
        '-o',
        'json',
        '--network-key',
        join(home.path, 'net-of-late')
      ],
      { env: home.env }
    )
    expectFailure(late, 3, 'INVITE_USED')
    await again.stop()
  })

  it('an invite ends, and one that is cut off is told from one that is not', async () => {
    const late = (line: string) =>
      runCli(
        [
          'join',
          line,
          '--data-dir',
          join(home.path, 'x'),
          '--network-key',
          join(home.path, 'net-x'),
          '-o',
          'json'
        ],
        { env: home.env }
      )
    expectFailure(await late(await invite('--expires', '1ms')), 3, 'INVITE_EXPIRED')
    const line = await invite()
    expectFailure(await late(line.slice(0, -3)), 2, 'INVITE_TEXT_INVALID')
    expectFailure(await late('beemesh-invite:AAAA'), 2, 'INVITE_TEXT_INVALID')
  })

  it('a grant is made, kept, listed, used and revoked', async () => {
    const guest = ['--identity', join(home.path, 'guest')]
    const who = expectDone(await cli('identity', 'show', ...guest), 'identity').peerId
    const at = ['--node', 'anna']
    const bounds = ['--in', 'team', '--memory', '1Gi', '--for', '2d', '--registry', 'docker.io/team']
    const made = expectDone(
      await cli('grant', 'create', who, '--allow', 'read,logs', ...bounds, ...at),
      'grant'
    )
    expect(made).to.deep.include({
      subject: who,
      actions: ['read', 'logs'],
      namespaces: ['team'],
      registries: ['docker.io/team'],
      quota: { memoryBytes: 2 ** 30 }
    })
    expectFailure(await cli('get', 'workloads', ...at, ...guest), 3, 'NOT_AUTHORISED')
    expectFailure(await cli('grant', 'add', made.grant, ...at), 2, 'USAGE')
    expectDone(await cli('grant', 'add', made.grant, ...at, ...guest), 'grant')
    expect(expectDone(await cli('grant', 'list', ...at, ...guest), 'grant-list').grants).to.have.lengthOf(1)
    expectDone(await cli('grant', 'show', made.id.slice(0, 8), ...at, ...guest), 'grant')
    expectDone(await cli('get', 'workloads', ...at, ...guest), 'get-workloads')
    const held = expectDone(await cli('grant', 'list', '--held', ...at), 'grant-list').grants
    expect(held.map(({ id }: { id: string }) => id)).to.deep.equal([made.id])

    expectFailure(await cli('grant', 'revoke', made.id, ...at, ...guest), 3, 'REVOCATION_REFUSED')
    expectDone(await cli('grant', 'revoke', made.id, ...at), 'grant-revoke')
    expectFailure(await cli('get', 'workloads', ...at, ...guest), 3, 'NOT_AUTHORISED')
    expectFailure(await cli('grant', 'show', 'beemesh-grant:xyz', ...at), 2, 'GRANT_TEXT_INVALID')
  })

  it('whom nodes obey is changed while they run, and nobody takes himself out', async () => {
    const who = expectDone(
      await cli('identity', 'show', '--identity', join(home.path, 'friend')),
      'identity'
    ).peerId
    const at = ['--node', 'anna']
    const own = anna.ready.owners
    const friend = [...at, '--identity', join(home.path, 'friend')]
    expectFailure(await cli('trust', 'list', ...friend), 3, 'NOT_AUTHORISED')
    const { nodes } = expectDone(await cli('trust', 'add', who, ...at), 'trust')
    expect(nodes[0].owners).to.deep.equal([...own, who].sort())
    expectDone(await cli('get', 'workloads', ...friend), 'get-workloads')
    expectFailure(await cli('trust', 'remove', who, ...friend), 1, 'OWNERS_FIXED')
    expect(
      expectDone(await cli('trust', 'remove', who, ...at, '--all'), 'trust').nodes[0].owners
    ).to.deep.equal(own)
    expectFailure(await cli('get', 'workloads', ...friend), 3, 'NOT_AUTHORISED')
  })

  it('an identity can be exported to be used elsewhere', async () => {
    const file = join(home.path, 'guest')
    const { peerId, privateKey } = expectDone(await cli('identity', 'export', '--identity', file), 'identity')
    expect(Buffer.from(privateKey, 'base64').byteLength).to.equal(68)
    expect(expectDone(await cli('identity', 'show', '--identity', file), 'identity').peerId).to.equal(peerId)
  })
})
