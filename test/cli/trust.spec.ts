import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { expectDone, expectFailure } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, ownerKey, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { NodeProcess } from '../fixtures/node-process.ts'
import { pod, STRICT_SECURITY, writeManifest } from '../fixtures/workload-files.ts'

describe('cli: whom a node obeys', () => {
  let mesh: ProcessMesh
  let guest: NodeJS.ProcessEnv
  before(async function () {
    this.timeout(30_000)
    mesh = await createProcessMesh({ nodes: ['anna', 'bert'] })
    guest = mesh.home.person('guest')
  })
  after(() => mesh?.close())

  const file = () => writeManifest(mesh.home, 'web', pod({ name: 'web' }))

  it('the first start obeys the local identity alone, and keeps keys to itself', async () => {
    const [anna] = mesh.nodes
    const { peerId } = await ownerKey(mesh.home)
    expect(anna!.ready.owners).to.deep.equal([peerId])
    const owners = await readFile(join(anna!.dataDir, 'owners'), 'utf8')
    expect(owners.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).to.deep.equal([peerId])
    const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
    expect(await mode(anna!.dataDir)).to.equal('700')
    for (const path of ['node.key', 'sealing.key', 'owners'])
      expect(await mode(join(anna!.dataDir, path)), path).to.equal('600')
    expect(await mode(join(mesh.home.path, 'owner/beemesh/identity'))).to.equal('600')
    expect(await mode(join(mesh.home.path, 'run', `${anna!.peerId}.json`))).to.equal('600')
  })

  it('listens on loopback unless told otherwise', () => {
    for (const { ready } of mesh.nodes)
      for (const address of ready.addresses) expect(address).to.match(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\//)
  })

  it('refuses a stranger with exit 3, whatever is asked', async () => {
    const path = await file()
    const asked = [
      ['apply', '-f', path],
      ['apply', '-f', path, '--to', 'bert'],
      ['get', 'nodes'],
      ['get', 'workloads'],
      ['status', 'web'],
      ['providers', 'web'],
      ['logs', 'web'],
      ['delete', 'web']
    ]
    const answers = await Promise.all(asked.map((args) => mesh.cli(args, { env: guest })))
    for (const [index, answer] of answers.entries()) {
      const error = expectFailure(answer, 3, 'NOT_AUTHORISED')
      expect(error.hint, asked[index]!.join(' ')).to.include('--owner')
    }
    expectDone(await mesh.cli(['get', 'workloads']), 'get-workloads')
  })

  it('--owner lets a second identity in, also after a restart without the flag', async () => {
    const [anna] = mesh.nodes
    const { peerId } = await ownerKey(mesh.home, 'guest')
    await anna!.stop()
    await anna!.start(['--owner', peerId])
    expect(anna!.ready.owners).to.include(peerId).and.to.have.length(2)
    const refused = await mesh.cli(['apply', '-f', await file()], { env: guest })
    expect(refused.exitCode, 'a guest must keep to the strict policy').to.equal(3)
    expect(refused.stdout).to.include('POLICY_REFUSED')
    const strict = await writeManifest(mesh.home, 'strict', pod({ name: 'web', security: STRICT_SECURITY }))
    const { results } = expectDone(await mesh.cli(['apply', '-f', strict], { env: guest }), 'apply')
    expect(results[0].owner).to.equal(peerId)
    await anna!.stop()
    await anna!.start()
    expectDone(await mesh.cli(['status', 'web'], { env: guest }), 'status')
  })

  it('one owner neither sees nor deletes what another runs, and one name is two manifests', async () => {
    const { results } = expectDone(await mesh.cli(['apply', '-f', await file()]), 'apply')
    const guests = expectDone(await mesh.cli(['status', 'web'], { env: guest }), 'status')
    expect(guests.manifestId).not.to.equal(results[0].manifestId)
    const refused = await Promise.all(
      ['status', 'delete', 'logs'].map((command) => mesh.cli([command, guests.manifestId]))
    )
    for (const answer of refused) expectFailure(answer, 4, 'REF_NOT_FOUND')
    const { workloads } = expectDone(await mesh.cli(['get', 'workloads']), 'get-workloads')
    expect(workloads.map(({ manifestId }: { manifestId: string }) => manifestId)).to.deep.equal([
      results[0].manifestId
    ])
  })

  it('seals nothing to a node that is no member: exit 3, and --all shows it', async () => {
    const env = mesh.home.person('intruder')
    const intruder = new NodeProcess({
      home: mesh.home,
      name: 'intruder',
      env,
      args: ['--bootstrap', mesh.nodes[1]!.address]
    })
    await intruder.start()
    const seen = async () => {
      const { nodes } = expectDone(await mesh.cli(['get', 'nodes', '--all'], { entry: 1 }), 'get-nodes')
      return nodes.find(({ name }: { name: string }) => name === 'intruder')
    }
    let found = await seen()
    for (let round = 0; found === undefined && round < 10; round++) found = await seen()
    expect(found).to.include({ member: false })
    const applied = await mesh.cli(['apply', '-f', await file(), '--to', 'intruder'], { entry: 1 })
    expectFailure(applied, 3, 'NOT_A_MEMBER')
    const { nodes } = expectDone(await mesh.cli(['get', 'nodes'], { entry: 1 }), 'get-nodes')
    expect(nodes.map(({ name }: { name: string }) => name)).not.to.include('intruder')
  })
})
