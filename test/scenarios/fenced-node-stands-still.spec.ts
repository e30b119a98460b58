import { expect } from 'chai'
import type { ManifestStatusView } from '../../src/client/index.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import type { NodeProcess } from '../fixtures/node-process.ts'
import { until } from '../fixtures/until.ts'
import { deployment } from '../fixtures/workload-files.ts'

/** What others wait after the last renewal, at the least less one renewal; and what finding and starting takes on a busy machine. */
const HOLD_MS = 14_000
const RENEW_MS = 3_000
const REPLACED_WITHIN_MS = 45_000

interface Change {
  readonly node: string
  readonly type: string
  readonly atMs: number
}

describe('scenario: the node of a fenced workload stands still', () => {
  let mesh: ProcessMesh
  beforeEach(async function () {
    this.timeout(60_000)
    mesh = await createProcessMesh({ nodes: ['n0', 'n1', 'n2', 'n3', 'n4'] })
  })
  afterEach(() => mesh?.close())

  const statefulSet = () => {
    const { metadata, spec } = deployment({ name: 'db' }) as { metadata: object; spec: object }
    return { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { ...spec, serviceName: 'db' } }
  }
  const statusFrom = async (entry: number): Promise<ManifestStatusView> =>
    (await mesh.client(entry)).status('db', { signal: AbortSignal.timeout(8_000) })
  const runs = (entry: number, isRight: (node: string) => boolean) =>
    until(
      'until one copy runs',
      async () => {
        const { placements } = await statusFrom(entry)
        const running = placements.filter(({ state }) => state === 'running' || state === 'ready')
        return running.length === 1 && isRight(running[0]!.node) ? running[0]!.node : undefined
      },
      { deadlineMs: REPLACED_WITHIN_MS }
    )
  /** What a node says has happened to the workload there. */
  const changesOn = async ({ init: { name } }: Pick<NodeProcess, 'init'>): Promise<Change[]> => {
    const client = await mesh.client(mesh.nodes.findIndex(({ init }) => init.name === name))
    const found: Change[] = []
    for await (const event of client.events('db', { signal: AbortSignal.timeout(8_000) }))
      if ('workloadId' in event && event.node === name)
        found.push({ node: event.node, type: event.type, atMs: Date.parse(event.timestamp) })
    return found
  }

  it('another one takes over when it must be dead, and when it goes on its copy never counts again', async function () {
    this.timeout(150_000)
    // given
    await mesh.given([statefulSet()])
    const first = await runs(0, () => true)
    const frozen = mesh.nodes.find(({ init }) => init.name === first)!
    const entry = mesh.nodes.findIndex((node) => node !== frozen)
    // when
    frozen.suspend()
    const frozenAtMs = Date.now()
    const second = await runs(entry, (node) => node !== first)
    const replacedAtMs = Date.now()
    // then
    expect(replacedAtMs - frozenAtMs).to.be.greaterThan(HOLD_MS - RENEW_MS - 500)
    // when
    frozen.resume()
    const resumedAtMs = Date.now()
    // then
    const after = await until(
      'until the old copy is given up',
      async () => {
        const { placements } = await statusFrom(mesh.nodes.indexOf(frozen))
        const running = placements.filter(({ state }) => state === 'running' || state === 'ready')
        expect(running.map(({ node }) => node)).to.not.include(first)
        const changes = await changesOn(frozen)
        return changes.some(({ type, atMs }) => type === 'stopped' && atMs >= resumedAtMs)
          ? changes
          : undefined
      },
      { deadlineMs: 20_000 }
    )
    expect(after.filter(({ type, atMs }) => atMs >= resumedAtMs && (type === 'started' || type === 'ready')))
      .to.be.empty
    const started = (await changesOn(mesh.nodes.find(({ init }) => init.name === second)!)).find(
      ({ type }) => type === 'started'
    )
    expect(started!.atMs - frozenAtMs).to.be.greaterThan(HOLD_MS - RENEW_MS - 500)
    await runs(entry, (node) => node === second)
  })
})
