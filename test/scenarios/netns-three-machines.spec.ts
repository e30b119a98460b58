import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { replay } from '../../scripts/demo/attacks.ts'
import { remoteConnection } from '../../src/client/index.ts'
import { decode } from '../../src/envelope/index.ts'
import { FORWARD } from '../../src/generated/fbs/index.ts'
import { loadNetworkKey, loadSigningKey } from '../../src/identity/index.ts'
import { expectDone, expectFailure } from '../fixtures/cli-schemas.ts'
import { Hosts, requireHosts } from '../fixtures/hosts.ts'
import { HostTraces } from '../fixtures/hosts-leftovers.ts'
import { Machine } from '../fixtures/hosts-machine.ts'
import { type Tap, tapNode } from '../fixtures/hosts-tap.ts'
import { inChapters } from '../fixtures/in-chapters.ts'
import { requirePodman } from '../fixtures/podman.ts'
import { until } from '../fixtures/until.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'

const SECRET = 'only host two and the owner read this'
const PAGE = 'a page from a ConfigMap'
/** A machine that is silent is given up on after 5 s, well before this. */
const STATUS_TIMEOUT_MS = 10_000

function manifest(annotations: Record<string, string> = {}): string {
  const script = 'echo "the word is $WORD"; exec httpd -f -p 8080 -h /site'
  const base = deployment({ name: 'hello', containerPort: 8080, command: ['sh', '-c', script] }) as {
    metadata: { annotations?: object }
    spec: { template: { spec: { containers: object[]; volumes?: object[] } } }
  }
  base.metadata.annotations = annotations
  const { spec } = base.spec.template
  const env = [{ name: 'WORD', valueFrom: { secretKeyRef: { name: 'hello', key: 'word' } } }]
  spec.containers[0] = { ...spec.containers[0], env, volumeMounts: [{ name: 'site', mountPath: '/site' }] }
  spec.volumes = [{ name: 'site', configMap: { name: 'hello' } }]
  const metadata = { name: 'hello' }
  return toYaml(
    base,
    { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { word: SECRET } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'index.html': PAGE } }
  )
}

describe('scenario: three machines, each with its own network, processes and Podman', function () {
  this.timeout(30_000)
  let hosts: Hosts | undefined
  let traces: HostTraces
  let one: Machine
  let two: Machine
  let three: Machine
  let tap: Tap | undefined
  let file: string
  let manifestId: string

  const apply = () => one.cli(['apply', '-f', file, '--to', 'two'], { env: tap!.env })
  const page = (host: Machine, port: number) => host.get(`http://${two.address}:${port}/`)

  before(async function () {
    await requireHosts(this)
    await requirePodman(this)
    hosts = await Hosts.up(3)
    traces = new HostTraces(hosts)
    await hosts.load()
    one = new Machine(hosts, 1, 'one')
    two = new Machine(hosts, 2, 'two')
    three = new Machine(hosts, 3, 'three')
    file = join(hosts.dir, 'hello.yaml')
    await writeFile(file, manifest())
  })

  inChapters(() => [one, two, three])

  after(() => {
    tap?.close()
    return hosts?.down()
  })

  it('become three members of one mesh, with keys carried from the first to the others', async () => {
    // given: the first start makes the owner's identity and the network's key
    const first = await one.startNode()
    await Promise.all([two, three].map((machine) => one.copyKeysTo(machine)))
    // when
    const ready = await Promise.all([two, three].map((it) => it.startNode(['--bootstrap', one.nodeAddress])))
    // then
    for (const line of ready) expect(line.owners).to.deep.equal(first.owners)
    expect(ready.flatMap(({ addresses }) => addresses)).to.deep.equal([two.nodeAddress, three.nodeAddress])
    for (const machine of [one, three])
      await until(`until ${machine.name} sees three members`, async () => {
        const { nodes } = expectDone(await machine.cli(['get', 'nodes']), 'get-nodes')
        const names = nodes.filter(
          (node: { member: boolean; connected: boolean }) => node.member && node.connected
        )
        return names.length === 3 ? true : undefined
      })
    tap = await tapNode(one)
  })

  it("run a manifest sealed to the second and sent through the first, in the second's Podman only", async () => {
    const { results } = expectDone(await apply(), 'apply')
    const [{ placements }] = results
    manifestId = results[0].manifestId
    expect(placements).to.have.length(1)
    expect(placements[0]).to.include({ node: 'two', state: 'running', engine: 'podman' })
    expect(placements[0].ports[0]).to.include({ containerPort: 8080, hostIp: '0.0.0.0' })
    expect(await two.podman('pod', 'ps', '--format', '{{.Name}}')).to.deep.equal([placements[0].workloadId])
    for (const machine of [one, three]) expect(await machine.podman('pod', 'ps', '-q')).to.deep.equal([])
    await traces.remember()
  })

  it('pass on what they cannot read', () => {
    const sent = tap!.requests().filter(({ protocol }) => protocol === 'forward')
    expect(sent.length).to.be.at.least(1)
    for (const { frame } of sent) {
      const text = Buffer.from(frame).toString('latin1')
      expect(text).to.not.include(SECRET).and.not.include(PAGE).and.not.include('httpd')
    }
  })

  it('answer over HTTP on the address of the machine that runs it, asked from another', async () => {
    const { placements } = expectDone(await three.cli(['status', 'hello']), 'status')
    expect(await page(three, placements[0].ports[0].hostPort)).to.equal(PAGE)
  })

  it('find the provider from a machine that does not run it', async () => {
    const found = expectDone(await three.cli(['providers', 'hello']), 'providers')
    expect(found.manifestId).to.equal(manifestId)
    expect(found.providers).to.have.length(1)
    expect(found.providers[0]).to.include({ node: 'two', peerId: two.ready.peerId, state: 'running' })
  })

  it('show its log on a machine that does not run it', async () => {
    const { lines } = expectDone(await three.cli(['logs', 'hello']), 'logs')
    expect(lines.map(({ line }: { line: string }) => line)).to.include(`the word is ${SECRET}`)
  })

  /** Sends what went by on machine one again, from the bridge between the machines, through machine three. */
  async function replayThroughThree() {
    const owner = await loadSigningKey(join(one.configDir, 'identity'))
    const network = await loadNetworkKey(join(one.configDir, 'network.key'))
    const signal = AbortSignal.timeout(10_000)
    const connection = await remoteConnection(three.nodeAddress, network, { signal })
    const { protocol, frame } = tap!
      .requests()
      .find(
        (request) => request.protocol === 'forward' && decode(FORWARD, request.frame).protocol === 'apply'
      )!
    return replay(connection, { protocol, frame, owner }).finally(() => connection.close())
  }

  it('refuse an envelope that was sent before, when it comes through another machine', async () => {
    expect((await replayThroughThree())?.code).to.equal('REPLAYED')
  })

  it('refuse a stranger who has the key of the network but another identity', async () => {
    const env = three.person('stranger')
    const key = ['--network-key', join(three.configDir, 'network.key')]
    for (const node of [one, two])
      for (const command of [
        ['apply', '-f', file, '--to', 'two'],
        ['delete', 'hello'],
        ['logs', manifestId]
      ]) {
        const result = await three.cli([...command, '--node', node.nodeAddress, ...key], { env })
        expectFailure(result, 3, 'NOT_AUTHORISED')
      }
    expect(await two.podman('pod', 'ps', '-q')).to.have.length(1)
  })

  it('delete it, asked from the third, and leave nothing in any store', async () => {
    expectDone(await three.cli(['delete', 'hello']), 'delete')
    const { providers } = expectDone(await one.cli(['providers', 'hello']), 'providers')
    expect(providers).to.deep.equal([])
    for (const machine of [one, two, three]) {
      const things = await Promise.all([
        machine.podman('pod', 'ps', '-q'),
        machine.podman('ps', '--all', '-q'),
        machine.podman('volume', 'ls', '-q'),
        machine.podman('secret', 'ls', '-q')
      ])
      expect(things.flat(), machine.name).to.deep.equal([])
    }
    const { stdout } = await two.exec(['sh', '-c', 'grep -rlF "$0" /run /dev/shm "$1"', SECRET, two.home])
    expect(stdout, 'files with the secret').to.equal('')
  })

  it('find their pod again after kill -9 of the node that runs it, and still refuse the replay', async () => {
    // given: it waits for its node, or another would have it before this one is back
    await writeFile(file, manifest({ 'beemesh.io/on-node-loss': 'keep' }))
    const [{ placements }] = expectDone(await apply(), 'apply').results
    const before = await two.podman('ps', '--no-trunc', '--format', '{{.ID}} {{.StartedAt}}')
    // when
    await two.endNode('KILL')
    expect(await page(three, placements[0].ports[0].hostPort), 'while its node is dead').to.equal(PAGE)
    await two.startNode(['--bootstrap', one.nodeAddress])
    // then
    const [provider] = await until('until three finds it', async () => {
      const { providers } = expectDone(await three.cli(['providers', 'hello']), 'providers')
      return providers.length > 0 ? providers : undefined
    })
    expect(provider).to.include({ node: 'two', workloadId: placements[0].workloadId, state: 'running' })
    expect(await two.podman('ps', '--no-trunc', '--format', '{{.ID}} {{.StartedAt}}')).to.deep.equal(before)
    expect((await replayThroughThree())?.code).to.equal('REPLAYED')
    await traces.remember()
  })

  it('go on without one whose cable is cut, and run it once when it is plugged in again', async function () {
    this.timeout(90_000)
    // given
    await writeFile(file, manifest())
    expectDone(await apply(), 'apply')
    const { placements } = expectDone(await one.cli(['status', 'hello']), 'status')
    const args = ['status', 'hello', '--timeout', `${STATUS_TIMEOUT_MS}ms`]
    // when
    await hosts!.cut(2)
    // then: its keepers know of it, and the other two, once they call it dead, open what was sealed to all of so small a mesh
    await until('until the other two stand in for it', async () => {
      const { unanswered, recoverable } = expectDone(await one.cli(args), 'status')
      return unanswered?.join() === 'two' && recoverable.standbys === 2 ? true : undefined
    })
    const moved = await until(
      'until it runs on another machine',
      async () => {
        const { placements: seen } = expectDone(await one.cli(args), 'status')
        return seen.length === 1 && seen[0].state === 'running' && seen[0].node !== 'two'
          ? seen[0]
          : undefined
      },
      { deadlineMs: 25_000 }
    )
    const machine = moved.node === 'one' ? one : three
    const at = `http://${machine.address}:${moved.ports[0].hostPort}/`
    expect(await until('until it answers there', () => one.get(at).catch(() => undefined))).to.equal(PAGE)
    // when
    await hosts!.heal(2)
    // then
    const healed = await until(
      'until it runs once',
      async () => {
        const status = expectDone(await one.cli(args), 'status')
        return status.unanswered === undefined && status.placements.length === 1 ? status : undefined
      },
      { deadlineMs: 25_000 }
    )
    expect(healed.placements[0].state).to.equal('running')
    expect(placements).to.have.length(1)
  })

  it('are taken down with a pod still running, and leave nothing on this machine', async () => {
    // given
    await traces.remember()
    const kinds = (things: string[]) => [...new Set(things.map((thing) => thing.split(' ')[0]))]
    expect(kinds(await traces.leftovers())).to.deep.equal(['process', 'mount', 'link', 'cgroup', 'folder'])
    // when
    await hosts!.down()
    // then
    expect(await traces.leftovers()).to.deep.equal([])
  })
})
