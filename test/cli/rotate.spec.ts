import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { findLocalNodes } from '../../src/client/index.ts'
import { loadOrCreateSigningKey, loadSigningKey, type SigningKey } from '../../src/identity/index.ts'
import { expectDocument, expectDone, expectFailure } from '../fixtures/cli-schemas.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { createTestHome, type TestHome } from '../fixtures/test-home.ts'
import { pod, writeManifest } from '../fixtures/workload-files.ts'

describe('cli: identity rotate', function () {
  this.timeout(60_000)
  let home: TestHome
  let mesh: Mesh
  let old: SigningKey
  before(async () => {
    home = await createTestHome()
    mesh = await createMesh(3)
    old = mesh.key
  })
  after(async () => {
    await mesh?.close()
    await home?.close()
  })

  const as = (identity: string, ...args: string[]) =>
    runCli([...args, '--identity', identity, '--node', 'node-0', '-o', 'json'], {
      env: { ...home.env, BEEMESH_RUNTIME_DIR: process.env.BEEMESH_RUNTIME_DIR }
    })
  const cli = (...args: string[]) => as(mesh.identity, ...args)
  const apply = async (name: string, to: string) =>
    cli('apply', '-f', await writeManifest(home, name, pod({ name })), '--to', to)
  const outcomes = (nodes: { node: string; outcome: string }[]) =>
    nodes.map(({ node, outcome }) => `${node} ${outcome}`).sort()

  let backup: string
  let manifestId: string

  it('reaches every node that answers, keeps the old key, and says who is still to be told', async () => {
    const applied = expectDone(await apply('before', 'node-1'), 'apply')
    manifestId = applied.results[0].manifestId
    await mesh.nodes[2]!.stop()
    const answer = await cli('identity', 'rotate')
    const result = expectDocument('identity-rotate', answer.json())

    expect(answer.exitCode, 'one did not answer').to.equal(6)
    expect(outcomes(result.nodes)).to.deep.equal(['node-0 rotated', 'node-1 rotated', 'node-2 unanswered'])
    expect(result.waiting.map(({ node }: { node: string }) => node)).to.deep.equal(['node-2'])
    expect(result.from).to.equal(old.peerId)
    expect((await loadSigningKey(mesh.identity)).peerId).to.equal(result.to)
    backup = result.backup
    expect((await loadSigningKey(backup)).peerId).to.equal(old.peerId)
    expect(existsSync(`${mesh.identity}.next`)).to.equal(false)
  })

  it('leaves nothing to the old key: no command, no node that it makes a member', async () => {
    for (const node of ['node-0', 'node-1'])
      expectFailure(await as(backup, 'get', 'nodes', '--node', node), 3, 'NOT_AUTHORISED')
    for (const { services, name } of mesh.nodes.slice(0, 2))
      expect(services.members.self().memberOf, name).not.to.include(old.peerId)
  })

  it("gives the new key what the old one had: nodes that are members, and the rights of the machine's own owner", async () => {
    // a guest would be refused it: the policy of others is strict
    const { results } = expectDone(await apply('after', 'node-1'), 'apply')
    expect(results[0].placements.map(({ state }: { state: string }) => state)).to.deep.equal(['running'])
  })

  it('lets what the old key runs go on, to be seen and deleted by its ID with the new one', async () => {
    const { workloads } = expectDone(await cli('get', 'workloads'), 'get-workloads')
    const before = workloads.find((one: { manifestId: string }) => one.manifestId === manifestId)
    expect(before).to.include({ name: 'before', owner: old.peerId })
    expectDone(await cli('status', manifestId), 'status')
    expectFailure(await cli('status', 'before'), 6, 'NODE_UNREACHABLE') // by name it is another manifest, and node-2 is silent
    expectDone(await cli('delete', manifestId), 'delete')
    const after = expectDone(await cli('get', 'workloads'), 'get-workloads')
    expect(after.workloads.map(({ name }: { name: string }) => name)).to.deep.equal(['after'])
  })

  it('run again tells those that are back, with the same new key, and is finished then', async () => {
    const { peerId } = await loadSigningKey(mesh.identity)
    await mesh.restart(2)
    await connected()
    const result = expectDone(await cli('identity', 'rotate'), 'identity-rotate')

    expect(outcomes(result.nodes)).to.deep.equal(['node-0 rotated', 'node-1 rotated', 'node-2 rotated'])
    expect(result.waiting).to.deep.equal([])
    expect(result.to).to.equal(peerId)
    expect(existsSync(`${mesh.identity}.rotation`)).to.equal(false)
    expectDone(await apply('everywhere', 'node-2'), 'apply')
  })

  it('holds after a restart of a node', async () => {
    const { peerId } = await loadSigningKey(mesh.identity)
    const restarted = await mesh.restart(1)

    expect(restarted.owners).to.deep.equal([peerId])
    expect(restarted.services.members.self().memberOf).to.deep.equal([peerId])
  })

  it('tells a node that turns up later by the file of the old key, and makes no other one', async () => {
    const { peerId } = await loadSigningKey(mesh.identity)
    const result = expectDone(await cli('identity', 'rotate', '--from', backup), 'identity-rotate')

    expect([result.from, result.to]).to.deep.equal([old.peerId, peerId])
    expect((await loadSigningKey(mesh.identity)).peerId).to.equal(peerId)
    expectFailure(await cli('identity', 'rotate', '--from', mesh.identity), 2, 'USAGE')
  })

  it('is heard of by commands of this machine: whom the old key makes a member is none for them', async () => {
    const local = await findLocalNodes(process.env.BEEMESH_RUNTIME_DIR!)
    for (const { owners, name } of local) expect(owners, name).not.to.include(old.peerId)
  })

  it('changes nothing where no node obeys the key', async () => {
    const stranger = `${mesh.identity}-stranger`
    const { key } = await loadOrCreateSigningKey(stranger)
    expectFailure(await as(stranger, 'identity', 'rotate'), 3, 'NOT_AUTHORISED')

    expect((await loadSigningKey(stranger)).peerId).to.equal(key.peerId)
  })

  async function connected(): Promise<void> {
    const seen = () =>
      mesh.nodes[0]!.services.members.list().filter((node) => node.connected && node.state === 'alive').length
    while (seen() < 3) await new Promise((resolve) => setTimeout(resolve, 50))
  }
})
