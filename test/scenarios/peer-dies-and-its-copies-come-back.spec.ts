import { expect } from 'chai'
import type { ManifestStatusView } from '../../src/client/index.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import type { NodeProcess } from '../fixtures/node-process.ts'
import { until } from '../fixtures/until.ts'
import { deployment } from '../fixtures/workload-files.ts'

/** Detection, a look, bids and a start on a machine that is busy with other tests. */
const HEALED_WITHIN_MS = 20_000

describe('scenario: machines die, and what they ran comes back elsewhere without its owner', () => {
  let mesh: ProcessMesh
  beforeEach(async function () {
    this.timeout(60_000)
    mesh = await createProcessMesh({ nodes: ['n0', 'n1', 'n2', 'n3', 'n4', 'n5'] })
  })
  afterEach(() => mesh?.close())

  const named = (name: string) => mesh.nodes.find(({ init }) => init.name === name)!
  const holders = ({ placements }: ManifestStatusView) =>
    placements.filter(({ state }) => state === 'running' || state === 'ready').map(({ node }) => node)
  /** Until exactly so many copies run, each number once, on nodes that were not named. */
  const runs = (ref: string, copies: number, { not = [] as readonly string[], entry = 0 } = {}) =>
    until(
      `until ${copies} copies of ${ref} run`,
      async () => {
        const client = await mesh.client(entry)
        const status = await client.status(ref, { signal: AbortSignal.timeout(8_000) })
        const nodes = holders(status)
        const ordinals = new Set(status.placements.map(({ ordinal }) => ordinal))
        const isRight =
          nodes.length === copies && status.placements.length === copies && ordinals.size === copies
        return isRight && !nodes.some((node) => not.includes(node)) ? status : undefined
      },
      { deadlineMs: HEALED_WITHIN_MS }
    )
  const applied = async (name: string, replicas: number): Promise<NodeProcess[]> => {
    await mesh.given([deployment({ name, replicas })])
    const status = await runs(name, replicas)
    expect(status.recoverable).to.deep.include({ threshold: 3, holders: 5, liveHolders: 5 })
    return holders(status).map(named)
  }

  it('one of three is killed; when its machine is back nothing runs twice', async function () {
    this.timeout(90_000)
    // given
    const nodes = await applied('web', 3)
    expect(new Set(nodes).size).to.equal(3)
    const victim = nodes.find(({ init }) => init.name !== 'n0')!
    // when
    await victim.kill9()
    // then
    await runs('web', 3, { not: [victim.init.name] })
    // when
    await victim.start()
    await mesh.settled()
    // then
    await runs('web', 3, { not: [victim.init.name] })
  })

  it('all that run it are killed at once, and the key comes from those who hold shares', async function () {
    this.timeout(90_000)
    // given
    const nodes = await applied('both', 2)
    const entry = mesh.nodes.findIndex((node) => !nodes.includes(node))
    // when
    await Promise.all(nodes.map((node) => node.kill9()))
    // then
    const not = nodes.map(({ init }) => init.name)
    await runs('both', 2, { not, entry })
  })
})
