import { expect } from 'chai'
import { sealManifest } from '../../../src/client/index.ts'
import { parseManifests } from '../../../src/manifest/index.ts'
import { RANK_DELAY_MS, STARTING_MS } from '../../../src/scheduler/constants.ts'
import { Healer, type HealerInit } from '../../../src/scheduler/healing/healer.ts'
import { checkRecord } from '../../../src/scheduler/keeping/check-record.ts'
import type { Kept, Lease, Neighbour } from '../../../src/scheduler/types.ts'
import { ownersOnly } from '../../../src/trust/index.ts'
import { NETWORK, NOW_MS, OWNER } from '../../envelope/fixtures.ts'
import { quietLogger } from '../../fixtures/quiet-logger.ts'
import { deployment, toYaml } from '../../fixtures/workload-files.ts'

const LOOK_MS = 500
const web = (replicas: number) => deployment({ name: 'web', replicas, requests: { cpu: '100m' } })
const autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 5,
    metrics: [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }
    ]
  }
}

/** A keeper, and when it asked for bids, ms since it began; nobody bids. */
async function createKeeper(...documents: object[]) {
  const [manifest] = parseManifests(toYaml(...documents))
  const about = { key: OWNER, networkId: NETWORK.id, version: NOW_MS, nodes: [], nowMs: NOW_MS }
  const bundle = { ...(await sealManifest(manifest!, about)), sealedKeys: [], sealedShares: [] }
  const trust = ownersOnly(new Set([OWNER.peerId]))
  const record = checkRecord(bundle.record, { networkId: NETWORK.id, trust })
  const kept: Kept = { record, bundle, keptAtMs: NOW_MS }
  const dead = new Set<string>()
  const keeper = {
    kept,
    dead,
    /** How many keepers are nearer. */
    place: 0,
    leases: [] as Lease[],
    atMs: 0,
    askedAtMs: [] as number[],
    /** When it asked who runs it, ms since it began, and how many of those gave no answer. */
    soughtAtMs: [] as number[],
    unheard: 0,
    /** Whom it asked first the last time. */
    likely: [] as readonly string[],
    /** Whom it has no connection to, though they live. */
    cutFrom: new Set<string>(),
    async lookFor(ms: number) {
      for (const endMs = keeper.atMs + ms; keeper.atMs < endMs; keeper.atMs += LOOK_MS) await healer.look()
    }
  }
  const node = (peerId: string) =>
    ({
      peerId,
      name: peerId,
      state: dead.has(peerId) ? 'dead' : 'alive',
      connected: !keeper.cutFrom.has(peerId),
      labels: {},
      engines: ['mock'],
      scheduling: true
    }) as unknown as Neighbour
  const alive = () => keeper.leases.filter(({ peerId }) => !dead.has(peerId))
  const world = {
    log: quietLogger,
    now: () => NOW_MS + keeper.atMs,
    random: () => 0.5,
    delay: () => new Promise(() => {}),
    neighbours: () => ['a', 'b'].map(node),
    isMember: () => true,
    leased: alive,
    find: async (_manifestId: Uint8Array, { likely = [] }: { likely?: readonly string[] }) => {
      keeper.soughtAtMs.push(keeper.atMs)
      keeper.likely = likely
      return alive()
    },
    unheard: () => keeper.unheard,
    workloads: { list: () => [] },
    asks: {
      bid: async () => {
        if (keeper.askedAtMs.at(-1) !== keeper.atMs) keeper.askedAtMs.push(keeper.atMs)
        return { bids: [] }
      }
    }
  }
  const ranked = () => [...Array(keeper.place).fill({ self: false }), { self: true }]
  const healer = new Healer({
    world,
    kept: { all: () => [kept], get: () => kept, facts: { of: () => [] } },
    keeping: { ranked, offer: () => undefined },
    signal: new AbortController().signal
  } as unknown as HealerInit)
  return { keeper, healer }
}

const lease = (peerId: string, version: number, ordinals: readonly number[], use = 0) =>
  ({
    peerId,
    version,
    highest: version,
    workloads: ordinals.map((ordinal) => ({
      ordinal,
      state: 'running',
      startedAt: 1,
      cpuMillisUsed: use,
      memoryBytesUsed: 1,
      usedAt: NOW_MS,
      usedOverMs: 10_000
    }))
  }) as unknown as Lease

describe('scheduler: when a keeper acts', () => {
  // found by npm run chaos: all had waited for that node for longer than any waits for a nearer one, and the copy was started twice
  for (const place of [0, 1, 2])
    it(`in its turn when the node dies that was to run a copy, however long that was awaited: ${place} nearer`, async () => {
      // given
      const { keeper, healer } = await createKeeper(web(1))
      keeper.place = place
      healer.noteKept(keeper.kept, 'a', [0])
      await keeper.lookFor(10_000)
      expect(keeper.askedAtMs).to.deep.equal([])

      // when
      keeper.dead.add('a')
      await keeper.lookFor(6_000)

      // then
      expect(keeper.askedAtMs[0]).to.equal(10_000 + place * RANK_DELAY_MS)
    })

  // found by npm run chaos: the older copy hid who was starting the newest, and another was started
  it('not when an older copy is lost that a node is about to run in the newest version', async () => {
    // given
    const { keeper, healer } = await createKeeper(web(1))
    keeper.leases = [lease('a', NOW_MS - 1, [0])]
    healer.noteKept(keeper.kept, 'b', [0])
    await keeper.lookFor(4_000)

    // when
    keeper.dead.add('a')
    await keeper.lookFor(4_000)

    // then
    expect(keeper.askedAtMs).to.deep.equal([])
  })

  // found by npm run chaos: two keepers undid what the other did
  it('by its own decision on how many copies there are to be only while none is nearer', async () => {
    // given
    const { keeper } = await createKeeper(web(2), autoscaler)
    keeper.leases = [lease('a', NOW_MS, [0, 1], 50)]
    await keeper.lookFor(STARTING_MS)
    keeper.leases = [lease('a', NOW_MS, [0, 1], 100)]
    await keeper.lookFor(LOOK_MS)
    expect(keeper.askedAtMs).to.deep.equal([STARTING_MS])

    // when: who lives has changed, so that it does not rest
    keeper.place = 1
    keeper.dead.add('b')
    await keeper.lookFor(10_000)

    // then
    expect(keeper.askedAtMs).to.deep.equal([STARTING_MS])
  })

  it('asks who runs it again where some who live gave no answer, and at once when it can reach one that it could not', async () => {
    // given
    const { keeper } = await createKeeper(web(1))
    keeper.leases = [lease('a', keeper.kept.record.version, [0])]
    keeper.cutFrom.add('b')
    keeper.unheard = 1

    // when
    await keeper.lookFor(10_000)
    keeper.unheard = 0
    await keeper.lookFor(10_000)
    keeper.cutFrom.clear()
    await keeper.lookFor(5_000)

    // then: after 4 s and 8 s, and then no more until there is a connection
    expect(keeper.soughtAtMs).to.deep.equal([0, 4_000, 12_000, 20_000])
    expect(keeper.askedAtMs).to.deep.equal([])
  })

  // found by npm run chaos in meshes of 70: a search names no more than so many, and one that runs an older version does not bid for a newer one
  it('asks each node that is to have its copy of a DaemonSet, and whose lease it does not know', async () => {
    const { spec, ...rest } = web(1) as { spec: { replicas?: number } }
    delete spec.replicas
    const { keeper } = await createKeeper({ ...rest, kind: 'DaemonSet', spec })
    keeper.leases = [lease('a', keeper.kept.record.version, [0])]

    await keeper.lookFor(STARTING_MS)

    expect(keeper.likely).to.deep.equal(['b'])
  })
})
