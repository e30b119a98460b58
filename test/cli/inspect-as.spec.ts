import { expect } from 'chai'
import { type Client, changeTrust, Session } from '../../src/client/index.ts'
import { generateSigningKey, publicKeyFromPeerId } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { expectDone, expectFailure } from '../fixtures/cli-schemas.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { createTestHome, type TestHome } from '../fixtures/test-home.ts'
import { until } from '../fixtures/until.ts'
import { deployment, pod, toYaml } from '../fixtures/workload-files.ts'
import { autoscaler } from '../manifest/fixtures/manifests.ts'

describe('cli: inspect --as', function () {
  this.timeout(30_000)
  let home: TestHome
  let mesh: Mesh
  let client: Client
  before(async () => {
    home = await createTestHome()
    mesh = await createMesh(4)
    client = await mesh.client(0)
    await client.apply(parseManifests(toYaml(pod({ name: 'web', command: ['sleep', 'secret-argument'] }))), {
      to: ['node-1']
    })
    await until('until the others keep it, too', () =>
      mesh.nodes.every(({ services }) => services.scheduler.kept().length === 1) ? true : undefined
    )
  })
  after(async () => {
    await mesh?.close()
    await home?.close()
  })

  const cli = (...args: string[]) =>
    runCli(['inspect', ...args, '--identity', mesh.identity, '--node', 'node-0'], {
      env: { ...home.env, BEEMESH_RUNTIME_DIR: process.env.BEEMESH_RUNTIME_DIR }
    })
  const inspect = async (ref: string, as: string) =>
    expectDone(await cli(ref, '--as', as, '-o', 'json'), 'inspect')

  it('the host reads everything, which it proves by opening it; what it has in clear is listed', async () => {
    const { held, entry, unknown } = await inspect('web', 'node-1')
    const { role, record, clear, document, ciphertextBytes, sealedToEpoch } = held[0]

    expect({ role, clear, sealedToEpoch, copies: held[0].copies }).to.deep.equal({
      role: 'host',
      clear: { kind: 'Pod', name: 'web', namespace: 'default' },
      sealedToEpoch: '1',
      copies: 1
    })
    expect(document.bytes).to.equal(record.plaintextBytes)
    expect(record).to.include({ owner: mesh.key.peerId, replicas: 1, tombstone: false, cipher: 'aes256gcm' })
    expect(ciphertextBytes).to.equal(1024 + 28)
    expect([entry, held.length, unknown]).to.deep.equal([false, 1, []])
  })

  it('keepers and holders cannot open it; the entry node finds its provider like anybody', async () => {
    for (const node of ['node-0', 'node-2', 'node-3']) {
      const { held } = await inspect('web', node)
      const [{ role, record, document, clear, shares }] = held

      expect(role).to.be.oneOf(['holder', 'keeper'])
      expect(shares).to.equal(role === 'holder' ? 1 : 0)
      expect([document, clear]).to.deep.equal([undefined, undefined])
      expect(record).to.include({ shareThreshold: 3, lifetime: 'service' })
    }
    const { finds, entry } = await inspect('web', 'node-0')
    expect(entry).to.equal(true)
    expect(finds.map(({ node }: { node: string }) => node)).to.deep.equal(['node-1'])
    const { stdout } = await cli('web', '--as', 'node-0')
    expect(stdout)
      .to.match(/not the document/)
      .and.match(/what it saw is not known/)
  })

  it('shows people the record field by field, and nothing of the document', async () => {
    const { stdout } = await cli('web', '--as', 'node-1')

    expect(stdout)
      .to.match(/^reads +everything/m)
      .and.match(/^record +keyCommitment: [0-9a-f]{64}$/m)
    expect(stdout).not.to.contain('secret-argument')
  })

  it('of a Job the key of what is done stands in the record, which other kinds have none of', async () => {
    const { spec } = pod({ name: 'sum' }) as { spec: object }
    const template = { spec: { ...spec, restartPolicy: 'Never' } }
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'sum' }, spec: { template } }
    await client.apply(parseManifests(toYaml(job)), { to: ['node-1'] })
    const recordOf = async (ref: string) => (await inspect(ref, 'node-1')).held[0].record

    expect((await recordOf('sum')).factsKey).to.match(/^[0-9a-f]{64}$/)
    expect(await recordOf('web')).not.to.have.property('factsKey')
  })

  it('shows who lets a fenced copy run, and how many copies there may be', async () => {
    const annotations = { 'beemesh.io/on-partition': 'fence' }
    const fenced = deployment({ name: 'fenced', replicas: 2, requests: { cpu: '10m' }, annotations })
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'fenced' }
    const scaled = autoscaler({ scaleTargetRef, maxReplicas: 3 }, { name: 'fenced' })
    await client.apply(parseManifests(toYaml(fenced, scaled)))
    const [held] = await until('until node-1 keeps it, too', async () => {
      const { held } = await inspect('fenced', 'node-1')
      return held.length > 0 ? held : undefined
    })
    const { record } = held

    expect(record).to.include({ onPartition: 'fence', maxCopies: 0 })
    expect(record.fenceKeepers).to.have.length(3)
    expect(JSON.parse(record.autoscale)).to.include({ maxReplicas: 3 })
  })

  it('of a deleted manifest the tombstone is left', async () => {
    await client.apply(parseManifests(toYaml(pod({ name: 'gone' }))), { to: ['node-1'] })
    await client.delete('gone')
    const { held } = await inspect('gone', 'node-1')

    expect(held.map(({ role, ciphertextBytes }: never) => [role, ciphertextBytes])).to.deep.equal([
      ['record', 0]
    ])
    expect(held[0].record.tombstone).to.equal(true)
  })

  it('says that it is not known where a node does not tell', async () => {
    const other = generateSigningKey()
    const target = { publicKey: publicKeyFromPeerId(mesh.nodes[2]!.peerId) }
    const session = await mesh.session(2)
    await changeTrust(session, target, { add: [other.peerId] })
    await changeTrust(new Session(other, session.connection), target, { remove: [mesh.key.peerId] })
    const { held, unknown } = await inspect('web', 'node-2')

    expect(held).to.deep.equal([])
    expect(unknown.map(({ about, code }: never) => [about, code])).to.deep.equal([
      ['held', 'NOT_AUTHORISED'],
      ['finds', 'NOT_AUTHORISED']
    ])
    const { stdout } = await cli('web', '--as', 'node-2')
    expect(stdout).to.match(/^what node-2 holds of it is not known/)
  })

  it('refuses a node that nobody knows', async () => {
    expectFailure(await cli('web', '--as', 'nobody', '-o', 'json'), 4, 'NODE_UNKNOWN')
  })
})
