import { expect } from 'chai'
import { type Client, cordon, type ManifestResult } from '../../src/client/index.ts'
import { delay } from '../../src/common/index.ts'
import type { ConfigInput } from '../../src/config/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { LOOK_INTERVAL_MS } from '../../src/scheduler/constants.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { until } from '../fixtures/until.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'

/** What each node is started with. */
const NODES: readonly ConfigInput[] = [
  { labels: { zone: 'a' } },
  { labels: { zone: 'a' } },
  { labels: { zone: 'b', gpu: 'old' } },
  { labels: { zone: 'c' }, taints: ['gpu:NoSchedule'] },
  { labels: { zone: 'c', gpu: 'new' }, scheduling: false },
  // joins later
  { labels: { zone: 'd' } }
]
const TOLERATED = { tolerations: [{ key: 'gpu', operator: 'Exists' }] }

describe('scenario: copies run where their manifest lets them', function () {
  this.timeout(60_000)
  let mesh: Mesh
  let client: Client
  beforeEach(async () => {
    mesh = await createMesh(5, (index) => NODES[index]!)
    client = await mesh.client(0)
  })
  afterEach(() => mesh?.close())

  /** @param pod fields of the pod */
  const manifestOf = (name: string, replicas: number, pod: object, kind = 'Deployment') => {
    const document = deployment({ name, replicas }) as unknown as {
      kind: string
      spec: { replicas?: number; template: { spec: object } }
    }
    Object.assign(document.spec.template.spec, pod)
    document.kind = kind
    if (kind === 'DaemonSet') delete document.spec.replicas
    return parseManifests(toYaml(document))
  }
  const apply = async (...document: Parameters<typeof manifestOf>): Promise<ManifestResult> =>
    (await client.apply(manifestOf(...document)))[0]!
  const nodesOf = ({ placements }: ManifestResult) =>
    placements
      .map(({ node, error }) => (error === undefined ? node : `${error.code}: ${error.message}`))
      .sort()
  const runsOn = (): string[] =>
    mesh.nodes.flatMap(({ name, services }) =>
      services.workloads
        .list()
        .flatMap(({ workloads }) => workloads.flatMap(({ state }) => (state === 'running' ? [name] : [])))
    )
  const spreadOver = (name: string, topologyKey: string) => ({
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: name } }
      }
    ]
  })
  const apartBy = (name: string, topologyKey: string) => ({
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey, labelSelector: { matchLabels: { app: name } } }
        ]
      }
    }
  })

  it('topologySpreadConstraints: a zone whose node is tainted counts, and takes a copy that tolerates it', async () => {
    // when
    const kept = await apply('kept', 3, spreadOver('kept', 'zone'))
    const web = await apply('web', 3, { ...spreadOver('web', 'zone'), ...TOLERATED })

    // then
    const [, , failed] = nodesOf(kept).reverse()
    expect(nodesOf(kept).filter((one) => /^node-[01]$/.test(one))).to.have.length(1)
    expect(nodesOf(kept)).to.include('node-2')
    expect([failed, ...nodesOf(kept)].join()).to.match(
      /NOTHING_FITS: 1 of 3 copies find no node: .*more than 1 above/
    )
    expect(nodesOf(web)).to.have.length(3)
    expect(nodesOf(web).slice(1)).to.deep.equal(['node-2', 'node-3'])
  })

  it('what finds no node, and what every node that matches is to run, comes to the next one that joins', async () => {
    // when
    const apart = await apply('apart', 4, apartBy('apart', 'kubernetes.io/hostname'))
    const agent = await apply('agent', 1, {}, 'DaemonSet')
    const later = await apply('later', 1, { nodeSelector: { zone: 'd' } }, 'DaemonSet')

    // then
    const [failed, ...nodes] = nodesOf(apart)
    expect(nodes).to.deep.equal(['node-0', 'node-1', 'node-2'])
    expect(failed).to.match(/^NOTHING_FITS: 1 of 4 copies find no node: 3 of 5 share kubernetes.io\/hostname/)
    expect(nodesOf(agent)).to.deep.equal(['node-0', 'node-1', 'node-2'])
    expect([later.placements, later.note]).to.deep.equal([
      [],
      'no node matches: 4 of 5 have no label zone=d, 1 takes no workloads (cordoned, or --no-scheduling); nodes that match get it when they join'
    ])

    // when
    await mesh.join()

    // then
    const onNew = () => runsOn().filter((name) => name === 'node-5').length
    await until('all three run on the new one', () => onNew() === 3 || undefined, { deadlineMs: 40_000 })
    expect(runsOn().filter((name) => name !== 'node-5')).to.deep.equal([...nodes, ...nodes].sort())
  })

  it('nodeAffinity: a node that is preferred is taken before one that is nearer, and a term that none meets is no wish', async () => {
    const prefer = (value: string) => ({
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 100,
              preference: { matchExpressions: [{ key: 'gpu', operator: 'In', values: [value] }] }
            }
          ]
        }
      }
    })
    for (const name of ['a', 'b', 'c'])
      expect(nodesOf(await apply(name, 1, prefer('old')))).to.deep.equal(['node-2'])
    // the only such node takes nothing
    const other = await apply('d', 1, prefer('new'))
    expect(nodesOf(other).join()).to.match(/^node-[012]$/)
    const required = {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'gpu', operator: 'Exists' }] }]
          }
        }
      }
    }
    expect(nodesOf(await apply('e', 2, required))).to.deep.equal(['node-2', 'node-2'])
  })

  it('a taint keeps away what does not tolerate it, --no-scheduling everything', async () => {
    // when
    const many = await apply('many', 9, {})
    const tolerant = await apply('tolerant', 4, TOLERATED)
    const agent = await apply('agent', 1, TOLERATED, 'DaemonSet')
    const nowhere = await apply('nowhere', 1, { nodeSelector: { gpu: 'new' } })
    const [given] = await client.apply(manifestOf('given', 1, {}), { to: ['node-4'] })

    // then
    expect(new Set(nodesOf(many))).to.deep.equal(new Set(['node-0', 'node-1', 'node-2']))
    expect(nodesOf(tolerant)).to.deep.equal(['node-0', 'node-1', 'node-2', 'node-3'])
    expect(nodesOf(agent)).to.deep.equal(['node-0', 'node-1', 'node-2', 'node-3'])
    expect(nodesOf(nowhere)).to.deep.equal([
      'NOTHING_FITS: no node fits: 4 of 5 have no label gpu=new, 1 takes no workloads (cordoned, or --no-scheduling)'
    ])
    expect(nodesOf(given!).join()).to.match(/^NOT_SCHEDULABLE/)
    expect(runsOn()).not.to.include('node-4')
  })

  it('a DaemonSet stays on a node that is cordoned', async () => {
    // given
    expect(nodesOf(await apply('agent', 1, {}, 'DaemonSet'))).to.have.length(3)
    const stopped: string[] = []
    mesh.nodes[1]!.services.workloads.addEventListener('workload', ({ detail: { type } }) => {
      if (type === 'stopping' || type === 'stopped') stopped.push(type)
    })

    // when
    await cordon(client, 'node-1', { scheduling: false })
    await delay(3 * LOOK_INTERVAL_MS)

    // then
    expect(stopped).to.deep.equal([])
    expect(runsOn()).to.deep.equal(['node-0', 'node-1', 'node-2'])
  })

  it('what is lost comes back only where it may run', async () => {
    // given
    const web = await apply('web', 2, { nodeSelector: { zone: 'a' } })
    expect(nodesOf(web)).to.deep.equal(['node-0', 'node-1'])

    // when
    await mesh.nodes[1]!.stop()

    // then
    const onFirst = () => runsOn().filter((name) => name === 'node-0').length
    await until('both run on the other node of the zone', () => onFirst() === 2 || undefined, {
      deadlineMs: 40_000
    })
    expect(mesh.nodes.flatMap((one, at) => (at === 1 ? [] : one.services.workloads.list())).length).to.equal(
      1
    )
  })
})
