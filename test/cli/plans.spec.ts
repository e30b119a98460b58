import { expect } from 'chai'
import { parseManifests } from '../../src/manifest/index.ts'
import { openBid, plan, seededRandom } from '../../src/scheduler/index.ts'
import { expectDocument, expectDone, expectFailure } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { deployment, toYaml, writeManifest } from '../fixtures/workload-files.ts'

describe('cli: apply --dry-run and explain', () => {
  let mesh: ProcessMesh
  before(async function () {
    this.timeout(30_000)
    mesh = await createProcessMesh({
      nodes: [
        { name: 'anna', args: ['--label', 'disk=ssd'] },
        { name: 'bert', args: ['--label', 'disk=hdd'] },
        { name: 'cleo', args: ['--label', 'disk=ssd'] }
      ]
    })
  })
  after(() => mesh?.close())

  /** On nodes with a fast disk, each one copy before any has two. */
  const onSsd = (name: string, replicas: number, disk = 'ssd') => {
    const document = deployment({ name, replicas, annotations: { 'beemesh.io/strategy': 'spread' } })
    const { spec } = document as { spec: { template: { spec: Record<string, unknown> } } }
    spec.template.spec.nodeSelector = { disk }
    return document
  }

  it('a dry run shows where copies would go and why not elsewhere, and nothing runs after it', async () => {
    const file = await writeManifest(mesh.home, 'dry', onSsd('dry', 2))
    const { plans } = expectDone(await mesh.cli(['apply', '-f', file, '--dry-run']), 'plan')
    const [made] = plans
    expect(made).to.include({
      kind: 'Deployment',
      name: 'dry',
      replicas: 2,
      asked: 3,
      members: 3,
      summary: ''
    })
    expect(made.placed.map(({ node }: { node: string }) => node).sort()).to.deep.equal(['anna', 'cleo'])
    const bert = made.nodes.find(({ name }: { name: string }) => name === 'bert')
    expect(bert).to.include({ verdict: 'refused' })
    expect(bert.reason).to.match(/disk/)
    expectFailure(await mesh.cli(['status', 'dry']), 4, 'REF_NOT_FOUND')
  })

  it('anybody can repeat the plan from the bids in it', async () => {
    const document = onSsd('again', 3)
    const file = await writeManifest(mesh.home, 'again', document)
    const [made] = expectDone(await mesh.cli(['apply', '-f', file, '--dry-run']), 'plan').plans
    const { networkId } = (await mesh.client()).session.connection
    const requestId = new Uint8Array(Buffer.from(made.requestId, 'hex'))
    const candidates = made.bids.map((bid: string) =>
      openBid(new Uint8Array(Buffer.from(bid, 'base64')), { networkId, requestId, roundTripMs: 0 })
    )
    const [manifest] = parseManifests(toYaml(document))
    const { placement: rules, resources: perCopy } = manifest!
    const request = { rules, perCopy, ordinals: [0, 1, 2], perNode: false }
    const nearLabels = { disk: 'ssd' }
    const repeated = plan({ candidates, nearLabels }, request, seededRandom(requestId))
    expect(repeated.assignments).to.deep.equal(
      made.placed.map(({ node: _node, ...one }: { node: string }) => one)
    )
  })

  it('a dry run with nodes named asks nobody', async () => {
    const file = await writeManifest(mesh.home, 'named', deployment({ name: 'named', replicas: 3 }))
    const args = ['apply', '-f', file, '--dry-run', '--to', 'anna', '--to', 'bert']
    const [made] = expectDone(await mesh.cli(args), 'plan').plans
    expect(made.placed.map(({ node }: { node: string }) => node)).to.deep.equal(
      ['anna', 'bert', 'anna'].sort()
    )
    expect(made).to.include({ asked: 0 })
  })

  it('explain -f of what fits nowhere says how many nodes failed on what, and exits 1', async () => {
    const file = await writeManifest(mesh.home, 'tape', onSsd('tape', 1, 'tape'))
    const result = await mesh.cli(['explain', '-f', file])
    expect(result.exitCode).to.equal(1)
    const [made] = expectDocument('plan', result.json()).plans
    expect(made).to.deep.include({ placed: [], unplaced: [0] })
    expect(made.summary).to.match(/^no node fits: 3 of 3 .*disk/)
  })

  it('explain REF tells where copies run, and where one more would go', async () => {
    await mesh.given([onSsd('known', 2)])
    const [made] = expectDone(await mesh.cli(['explain', 'known'], { entry: 1 }), 'plan').plans
    expect(made.staying.map(({ node }: { node: string }) => node).sort()).to.deep.equal(['anna', 'cleo'])
    expect(made).to.include({ name: 'known', replicas: 2, oneMore: true })
    expect(made.placed).to.have.length(1)
    const text = await runCli(['explain', 'deploy/known', '--node', 'bert'], { env: mesh.home.env })
    expect(text.stdout).to.match(/^deployment\/known: 2 copies; 3 of 3 members asked\n {2}copy 0 stays on /)
    expect(text.stdout).to.match(/one copy more would go:\n {2}NODE +VERDICT +COPIES +SCORE +WHY\n/)
    expect(text.stdout).to.match(/\n {2}bert +refused .*disk/)
  })

  it('explain of neither a manifest nor a file is wrong usage', async () => {
    expectFailure(await mesh.cli(['explain']), 2, 'USAGE')
  })
})
