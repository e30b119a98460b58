import { expect } from 'chai'
import { expectDocument, expectDone } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { until } from '../fixtures/until.ts'
import { deployment, pod, writeManifest } from '../fixtures/workload-files.ts'

describe('cli: what every command prints with -o json', () => {
  let mesh: ProcessMesh
  before(async function () {
    this.timeout(30_000)
    mesh = await createProcessMesh({ nodes: ['anna', 'bert', 'cleo'] })
  })
  after(() => mesh?.close())

  const apply = async (name: string, to: string[], ...documents: object[]) => {
    const file = await writeManifest(mesh.home, name, ...documents)
    return mesh.cli(['apply', '-f', file, ...to.flatMap((node) => ['--to', node])])
  }

  it('node start prints one ready line', () => {
    const [anna] = mesh.nodes
    expectDocument('node-start-ready', anna!.ready)
    expect(anna!.stdout.trimEnd().split('\n')).to.have.length(1)
    expect(anna!.ready).to.include({ name: 'anna', network: 'test', engine: 'mock', pid: anna!.pid })
  })

  it('apply without --to asks the mesh, which spreads the copies', async () => {
    const result = expectDone(
      await apply('alone', [], deployment({ name: 'alone', replicas: 2, containerPort: 80 })),
      'apply'
    )
    const [one] = result.results
    expect(one).to.include({ kind: 'Deployment', name: 'alone', namespace: 'default' })
    expect(one.owner).to.equal(mesh.nodes[0]!.ready.owners[0])
    expect(one.placements.map(({ state }: { state: string }) => state)).to.deep.equal(['running', 'running'])
    expect(new Set(one.placements.map(({ node }: { node: string }) => node)).size).to.equal(2)
    const ports = one.placements.flatMap(({ ports }: { ports: { hostPort: number }[] }) => ports)
    expect(new Set(ports.map(({ hostPort }: { hostPort: number }) => hostPort)).size).to.equal(2)
  })

  it('apply measures from its start to the last copy running, each manifest by itself', async () => {
    const run = await apply('timed', [], pod({ name: 'timed-one' }), pod({ name: 'timed-two' }))
    const { results, durationMs } = expectDone(run, 'apply')
    expect(results).to.have.length(2)
    for (const result of results) {
      expect(result.durationMs).to.be.greaterThan(0)
      expect(result.durationMs).to.be.at.most(durationMs)
    }
    expect(durationMs).to.be.lessThan(run.durationMs)
  })

  it('apply --to takes a name, a peer ID and a full address', async () => {
    const [anna, bert, cleo] = mesh.nodes
    const to = [anna!.init.name, bert!.peerId, cleo!.address]
    const { results } = expectDone(
      await apply('three', to, deployment({ name: 'three', replicas: 3 })),
      'apply'
    )
    expect(results[0].placements.map(({ peerId }: { peerId: string }) => peerId)).to.deep.equal(
      [anna, bert, cleo].map((node) => node!.peerId)
    )
  })

  it('apply deals copies over the nodes in turn', async () => {
    const { results } = expectDone(
      await apply('dealt', ['bert', 'cleo'], deployment({ name: 'dealt', replicas: 3 })),
      'apply'
    )
    const hands = results[0].placements.map(
      ({ node, ordinal }: { node: string; ordinal: number }) => `${node} ${ordinal}`
    )
    expect(hands).to.deep.equal(['bert 0', 'cleo 1', 'bert 2'])
  })

  it('apply of a Deployment with no copies is done, with exit 0', async () => {
    const { results } = expectDone(
      await apply('none', [], deployment({ name: 'none', replicas: 0 })),
      'apply'
    )
    expect(results[0].placements).to.deep.equal([])
    expect(expectDone(await mesh.cli(['status', 'none']), 'status')).to.include({ replicas: 0 })
  })

  it('apply of what runs already says unchanged and starts nothing', async () => {
    const [first] = await mesh.given([pod({ name: 'same' })])
    const again = expectDone(await apply('same', [], pod({ name: 'same' })), 'apply')
    expect(again.results[0].placements[0]).to.include({
      unchanged: true,
      workloadId: first!.placements[0]!.workloadId
    })
  })

  it('apply of a changed manifest keeps the ID, raises the version and replaces the copy', async () => {
    const [before] = await mesh.given([pod({ name: 'changing' })])
    const changed = pod({ name: 'changing', command: ['sleep', '9'] })
    const [after] = expectDone(await apply('changing', [], changed), 'apply').results
    expect(after.manifestId).to.equal(before!.manifestId)
    expect(BigInt(after.version) > BigInt(before!.version)).to.equal(true)
    const status = expectDone(await mesh.cli(['status', 'changing']), 'status')
    expect(status.placements.map(({ workloadId }: { workloadId: string }) => workloadId)).to.deep.equal([
      after.placements[0].workloadId
    ])
  })

  it('apply reads standard input and uses --namespace for documents that give none', async () => {
    const input = JSON.stringify(pod({ name: 'piped' }))
    const run = await mesh.cli(['apply', '-f', '-', '--namespace', 'blue'], { input })
    expect(expectDone(run, 'apply').results[0].namespace).to.equal('blue')
    expectDone(await mesh.cli(['status', 'piped', '-n', 'blue']), 'status')
    const elsewhere = await mesh.cli(['status', 'piped'])
    expect(elsewhere.exitCode).to.equal(4)
    const listed = expectDone(await mesh.cli(['get', 'workloads', '-n', 'blue']), 'get-workloads')
    expect(listed.workloads.map(({ name }: { name: string }) => name)).to.deep.equal(['piped'])
  })

  it('progress goes to stderr and never to stdout', async () => {
    const run = await apply('loud', ['bert'], pod({ name: 'loud' }))
    expectDone(run, 'apply')
    expect(run.stderr).to.match(/loud on bert: accepted\n(.*\n)*.*loud on bert: running\n/)
  })

  it('get workloads lists the whole mesh, with --local the entry node', async () => {
    await mesh.given([pod({ name: 'far' })], ['cleo'])
    const names = ({ workloads }: { workloads: { name: string }[] }) => workloads.map(({ name }) => name)
    const local = expectDone(await mesh.cli(['get', 'workloads', '--local']), 'get-workloads')
    expect(names(local)).not.to.include('far')
    expect(names(expectDone(await mesh.cli(['get', 'workloads']), 'get-workloads'))).to.include('far')
  })

  it('top says what every running copy has used', async () => {
    const { workloads } = expectDone(await mesh.cli(['top']), 'top')
    expect(workloads.map(({ name }: { name: string }) => name)).to.include('far')
  })

  it('get nodes lists every member and marks the entry node', async () => {
    const { nodes } = expectDone(await mesh.cli(['get', 'nodes'], { entry: 1 }), 'get-nodes')
    expect(nodes.map(({ name }: { name: string }) => name).sort()).to.deep.equal(['anna', 'bert', 'cleo'])
    expect(nodes.filter(({ entry }: { entry: boolean }) => entry)).to.have.length(1)
    expect(nodes.find(({ entry }: { entry: boolean }) => entry)).to.include({ name: 'bert', member: true })
    for (const { engines } of nodes) expect(engines).to.deep.equal(['mock'])
  })

  it('status finds a manifest by ID, kind/name and name, from a node that does not run it', async () => {
    const [given] = await mesh.given([deployment({ name: 'refs' })], ['cleo'])
    const refs = [given!.manifestId, 'deployment/refs', 'deploy/refs', 'refs']
    const answers = await Promise.all(refs.map((ref) => mesh.cli(['status', ref], { entry: 1 })))
    for (const answer of answers) {
      const status = expectDone(answer, 'status')
      expect(status).to.include({ manifestId: given!.manifestId, replicas: 1 })
      expect(status.placements[0]).to.include({ node: 'cleo', state: 'running' })
    }
  })

  it('providers names the node that runs it, asked on one that does not', async () => {
    const [given] = await mesh.given([pod({ name: 'found' })], ['bert'])
    const run = await mesh.cli(['providers', 'found'], { entry: 2 })
    const { manifestId, providers } = expectDone(run, 'providers')
    expect(manifestId).to.equal(given!.manifestId)
    expect(providers).to.have.length(1)
    expect(providers[0]).to.include({
      node: 'bert',
      peerId: mesh.nodes[1]!.peerId,
      state: 'running',
      engine: 'mock'
    })
    expect(providers[0].source).to.be.oneOf(['peer', 'cache', 'dht'])
    expect(providers[0].ageMs).to.be.lessThan(3_000)
    const local = expectDone(await mesh.cli(['providers', manifestId], { entry: 1 }), 'providers')
    expect(local.providers[0].source).to.equal('local')
  })

  it('providers of a name or an ID that nobody provides is an empty list and exit 0', async () => {
    const unknown = 'bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    const byName = expectDone(await mesh.cli(['providers', 'never-was'], { entry: 2 }), 'providers')
    expect(byName.providers).to.deep.equal([])
    const byId = expectDone(await mesh.cli(['providers', unknown], { entry: 2 }), 'providers')
    expect(byId).to.deep.equal({ manifestId: unknown, providers: [] })
  })

  it('logs is one document with the lines of every copy', async () => {
    await mesh.given([deployment({ name: 'talk', replicas: 2 })], ['bert', 'cleo'])
    const { lines } = expectDone(await mesh.cli(['logs', 'talk']), 'logs')
    expect(lines.map(({ node }: { node: string }) => node).sort()).to.deep.equal(['bert', 'cleo'])
    expect(lines[0].line).to.include('mock engine: pretending to run localhost/beemesh-demo:1')
    const none = expectDone(await mesh.cli(['logs', 'talk', '--tail', '0']), 'logs')
    expect(none.lines).to.deep.equal([])
  })

  it('events tells what happened on every node, oldest first, also of what is gone', async () => {
    const [given] = await mesh.given([deployment({ name: 'told', replicas: 2 })], ['bert', 'cleo'])
    await mesh.cli(['delete', 'told'])
    const { events } = expectDone(await mesh.cli(['events', 'told']), 'events')
    const of = (name: string) =>
      events.filter(({ node }: { node: string }) => node === name).map(({ type }: { type: string }) => type)
    for (const name of ['bert', 'cleo']) {
      expect(of(name)[0]).to.equal('accepted')
      expect(of(name)).to.include('started')
      expect(of(name).at(-1)).to.equal('stopped')
    }
    expect(new Set(events.map(({ name }: { name: string }) => name))).to.deep.equal(new Set(['told']))
    const times = events.map(({ timestamp }: { timestamp: string }) => timestamp)
    expect(times).to.deep.equal([...times].sort())
    const byId = expectDone(await mesh.cli(['events', given!.manifestId, '--since', '5m']), 'events')
    expect(byId.events).to.deep.equal(events)
    expect(expectDone(await mesh.cli(['events', 'never-was']), 'events').events).to.deep.equal([])
  })

  it('audit show lists what a node was asked and did, --refused only what it refused', async () => {
    const [given] = await mesh.given([pod({ name: 'written' })], ['bert'])
    const far = expectDone(await mesh.cli(['audit', 'show', 'bert', '--since', '5m']), 'audit-show')
    const of = far.entries.filter(
      ({ manifestId }: { manifestId?: string }) => manifestId === given!.manifestId
    )
    expect(of.map(({ what, action }: { what: string; action: string }) => `${what} ${action}`)).to.deep.equal(
      ['asked apply', 'did accepted', 'did started']
    )
    expect(of[0]).to.include({ author: given!.owner, verified: true, count: 1, version: given!.version })
    const own = expectDone(await mesh.cli(['audit', 'show'], { entry: 1 }), 'audit-show')
    expect(own.entries[0]).to.include({ sequence: 1, what: 'did', action: 'node-started' })

    await mesh.cli(['get', 'nodes'], { entry: 2, env: mesh.home.person('nobody') })
    const { entries } = expectDone(await mesh.cli(['audit', 'show', 'cleo', '--refused']), 'audit-show')
    expect(entries).to.have.length(1)
    expect(entries[0]).to.include({
      what: 'refused',
      action: 'members',
      code: 'NOT_AUTHORISED',
      rule: 'owners-file'
    })
  })

  it('audit verify says that nothing was rewritten, by the word of the others', async function () {
    this.timeout(40_000)
    const witnesses = await until(
      'until others hold a head of bert',
      async () => {
        const verdict = expectDone(await mesh.cli(['audit', 'verify', 'bert'], { entry: 1 }), 'audit-verify')
        expect(verdict).to.deep.include({ node: 'bert', intact: true, faults: [] })
        return verdict.witnesses.length === 2 ? verdict.witnesses : undefined
      },
      { deadlineMs: 30_000 }
    )
    expect(witnesses.map(({ node }: { node: string }) => node)).to.deep.equal(['anna', 'cleo'])
  })

  it('delete takes every copy away, wherever it runs, and nobody provides it any more', async () => {
    await mesh.given([deployment({ name: 'gone', replicas: 2 })], ['bert', 'cleo'])
    const { results } = expectDone(await mesh.cli(['delete', 'deployment/gone']), 'delete')
    const ended = results[0].placements.map(
      ({ node, state }: { node: string; state: string }) => `${node} ${state}`
    )
    expect(ended.sort()).to.deep.equal(['bert stopped', 'cleo stopped'])
    expect((await mesh.cli(['status', 'gone'])).exitCode).to.equal(4)
    expect(expectDone(await mesh.cli(['providers', 'gone']), 'providers').providers).to.deep.equal([])
  })

  it('delete -f takes away everything the file describes', async () => {
    const documents = [pod({ name: 'both-pod' }), deployment({ name: 'both-deployment' })]
    const file = await writeManifest(mesh.home, 'both', ...documents)
    await mesh.given(documents)
    const { results } = expectDone(await mesh.cli(['delete', '-f', file]), 'delete')
    expect(results.map(({ name }: { name: string }) => name)).to.deep.equal(['both-pod', 'both-deployment'])
    expect((await mesh.cli(['status', 'both-pod'])).exitCode).to.equal(4)
  })

  it('what was deleted can be applied again', async () => {
    const [first] = await mesh.given([pod({ name: 'back' })])
    await (await mesh.client()).delete('back')
    const again = expectDone(await apply('back', [], pod({ name: 'back' })), 'apply')
    expect(again.results[0].manifestId).to.equal(first!.manifestId)
    expect(again.results[0].placements[0].state).to.equal('running')
  })
})
