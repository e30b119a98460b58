import { expect } from 'chai'
import { parseManifests } from '../../src/manifest/index.ts'
import type { StoredManifest } from '../../src/workloads/index.ts'
import { chooseVictims, freedBy, preemptible } from '../../src/workloads/resources/preempt.ts'
import { bytesOf } from '../envelope/fixtures.ts'
import { createLoneNode, type LoneNode } from '../fixtures/lone-node.ts'
import { until } from '../fixtures/until.ts'

const held = (
  name: string,
  {
    priority = 0,
    owner = 'me',
    cpuMillis = 100,
    copies = 1,
    ...more
  }: Partial<StoredManifest> & { copies?: number } = {}
) =>
  ({
    manifestId: bytesOf(name, 36),
    name,
    owner,
    priority,
    cpuMillis,
    memoryBytes: 10,
    tombstone: false,
    workloads: Array.from({ length: copies }, (_, ordinal) => ({
      ordinal,
      workloadId: `${name}-${ordinal}`
    })),
    ...more
  }) as unknown as StoredManifest
const names = (victims: readonly { manifest: StoredManifest; ordinal: number }[] | undefined) =>
  victims?.map(({ manifest, ordinal }) => `${manifest.name}${ordinal}`)
const OWN = new Set(['me', 'other-own'])

describe('workloads: who makes room for whom', () => {
  it('lets go of lower priorities of the same owner, and of guests for an owner of the machine', () => {
    const all = [
      held('low'),
      held('same', { priority: 5 }),
      held('guest', { owner: 'guest', priority: 1 }),
      held('other', { owner: 'other-own' }),
      held('cron', { cron: {} as never })
    ]
    const of = (owner: string) => names(preemptible(all, { owner, priority: 5 }, OWN))

    expect(of('me')).to.deep.equal(['low0', 'guest0'])
    expect(of('other-own')).to.deep.equal(['other0', 'guest0'])
    expect(of('guest'), 'a guest never takes from others').to.deep.equal(['guest0'])
    expect(of('stranger')).to.deep.equal([])
  })

  it('takes the lowest first, and no more than are needed', () => {
    const all = [
      held('small', { cpuMillis: 100 }),
      held('large', { priority: 1, cpuMillis: 1_000 }),
      held('higher', { priority: 2, cpuMillis: 1_000 })
    ]
    const candidates = preemptible(all, { owner: 'me', priority: 5 }, OWN)
    const take = (cpuMillis: number) =>
      names(chooseVictims(candidates, { cpuMillis, memoryBytes: 0, pods: 0 }))

    expect(take(50)).to.deep.equal(['small0'])
    expect(take(900)).to.deep.equal(['large0'])
    expect(take(1_050)).to.deep.equal(['small0', 'large0'])
    expect(take(5_000)).to.equal(undefined)
  })

  it('spares what does not help', () => {
    const all = [held('no-cpu', { cpuMillis: 0, copies: 3 }), held('cpu', { priority: 1 })]
    const candidates = preemptible(all, { owner: 'me', priority: 5 }, OWN)

    expect(names(chooseVictims(candidates, { cpuMillis: 100, memoryBytes: 0, pods: 0 }))).to.deep.equal([
      'cpu0'
    ])
    expect(freedBy(candidates)).to.deep.equal({ cpuMillis: 100, memoryBytes: 40, pods: 4 })
  })
})

describe('workloads: preemption on a node', () => {
  let lone: LoneNode
  afterEach(() => lone?.close())

  const deployment = (
    name: string,
    { cpu, priority, replicas = 1 }: { cpu: string; priority: number; replicas?: number }
  ) =>
    parseManifests(
      JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, annotations: { 'beemesh.io/priority': String(priority) } },
        spec: {
          replicas,
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: { containers: [{ name: 'main', image: 'localhost/a:1', resources: { requests: { cpu } } }] }
          }
        }
      })
    )
  const runs = (name: string) =>
    lone.node.services.workloads
      .list()
      .find((one) => one.name === name)
      ?.workloads.filter(({ state }) => state === 'running' || state === 'ready').length ?? 0

  it('stops copies of lower priority and tells why; they are back when there is room again', async function () {
    this.timeout(60_000)
    // given
    lone = await createLoneNode({}, { capacity: { machine: { cpuMillis: 1_000, memoryBytes: 8 * 2 ** 30 } } })
    await lone.client.apply(deployment('low', { cpu: '400m', priority: 1, replicas: 2 }))
    expect(runs('low')).to.equal(2)

    // when
    const [result] = await lone.client.apply(deployment('high', { cpu: '300m', priority: 9 }))

    // then
    expect(result!.placements.map(({ state, error }) => error?.message ?? state)).to.deep.equal(['running'])
    const event = await lone.event(
      ({ type, reason }) => type === 'stopped' && reason?.startsWith('preempted') === true
    )
    expect(event.reason).to.equal('preempted by high, priority 9')
    expect([runs('low'), runs('high')]).to.deep.equal([1, 1])

    // when
    await lone.client.delete('high')
    // then
    await until('until it is back', async () => (runs('low') === 2 ? true : undefined), {
      deadlineMs: 45_000
    })
  })

  it('does not stop what has the same priority, or a higher one', async () => {
    lone = await createLoneNode({}, { capacity: { machine: { cpuMillis: 1_000, memoryBytes: 8 * 2 ** 30 } } })
    await lone.client.apply(deployment('first', { cpu: '800m', priority: 5 }))
    for (const priority of [5, 1]) {
      const [result] = await lone.client.apply(deployment('second', { cpu: '300m', priority }))
      expect(result!.placements[0]!.error?.code).to.equal('NOTHING_FITS')
    }
    expect(runs('first')).to.equal(1)
  })
})
