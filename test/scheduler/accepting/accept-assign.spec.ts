import { expect } from 'chai'
import type { AssignRequest } from '../../../src/generated/fbs/index.ts'
import { Accepting, type AcceptingInit } from '../../../src/scheduler/accepting/accept-assign.ts'
import { SEE_DEATH_MS } from '../../../src/scheduler/constants.ts'
import { Claims } from '../../../src/scheduler/keeping/claims.ts'
import type { World } from '../../../src/scheduler/types.ts'
import { createKeyMesh, type KeyMesh, type KeyNode, lease } from '../world-of-keys.ts'

const DAEMON_SET = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent' },
  spec: {
    selector: { matchLabels: { app: 'agent' } },
    template: {
      metadata: { labels: { app: 'agent' } },
      spec: {
        nodeSelector: { disk: 'ssd' },
        containers: [{ name: 'main', image: 'localhost/agent:1' }]
      }
    }
  }
}

/** A node that is asked to run copy 0, which it still sees on another. @param onDelay called whenever it waits */
async function askedTooEarly(onDelay: (see: (isRunning: boolean) => void) => void) {
  const mesh = await createKeyMesh()
  const lost = mesh.nodes[0]!
  lost.isDown = true
  const see = (isRunning: boolean) => {
    for (const node of mesh.nodes) node.leases = isRunning ? [lease(lost, 0, mesh.record.version)] : []
  }
  see(true)
  return await ask(mesh, mesh.nodes[1]!, () => onDelay(see))
}

/** @param onDelay called whenever the asked one waits */
async function ask(
  mesh: KeyMesh,
  asked: KeyNode,
  onDelay: () => void,
  begunElsewhere: AcceptingInit['begunElsewhere'] = () => []
) {
  let isStarted = false
  const workloads = {
    ...asked.world.workloads,
    assign: async ({ report }: { report: () => void }) => {
      isStarted = true
      report()
      return { workloads: [] }
    }
  }
  const delay: World['delay'] = (ms, options) => {
    onDelay()
    return asked.world.delay(ms, options)
  }
  const accepting = new Accepting({
    world: { ...asked.world, delay, workloads: workloads as unknown as World['workloads'] },
    kept: asked.kept,
    check: () => mesh.record,
    begunElsewhere,
    onStarting: () => {},
    onNoPart: () => {},
    signal: new AbortController().signal
  })
  const empty = { sealedKeys: [], sealedShares: [], surplus: [], facts: [], replicas: 0, drains: false }
  const startedAtMs = mesh.clockMs
  const verdict = await accepting.answer(
    { ...empty, record: new Uint8Array(), ordinals: [0] } as unknown as AssignRequest,
    mesh.nodes[2]!.key.peerId
  )
  return { verdict, isStarted, tookMs: mesh.clockMs - startedAtMs }
}

describe('scheduler: a node that is asked to run what it still sees running', () => {
  it('looks again, because the keeper may have noticed a death sooner', async () => {
    let looks = 0
    const { verdict, isStarted } = await askedTooEarly((see) => see(++looks < 3))
    expect([verdict.code, isStarted]).to.deep.equal([undefined, true])
  })

  it('refuses when it goes on seeing it, and does not keep the keeper waiting for long', async () => {
    const { verdict, isStarted, tookMs } = await askedTooEarly(() => {})
    expect([verdict.code, isStarted]).to.deep.equal(['NOT_NEEDED', false])
    expect(tookMs).to.be.within(SEE_DEATH_MS, SEE_DEATH_MS + 200)
  })
})

// found by npm run stories thirty: a deleted manifest began to run once more, on whoever had waited for its key until then
describe('scheduler: a node that waits for the key of a copy', () => {
  it('waits no longer when another runs it, or it would have it when that one is deleted', async () => {
    const mesh = await createKeyMesh()
    const [other, ...holders] = mesh.nodes as [KeyNode, ...KeyNode[]]
    const asked = holders.pop()!
    const running = [lease(other, 0, mesh.record.version)]
    for (const node of holders) node.leases = running
    other.leases = running
    let waits = 0
    const { verdict, isStarted } = await ask(mesh, asked, () => {
      waits++
      asked.leases = waits < 3 ? running : []
      if (waits >= 3) for (const node of mesh.nodes) node.leases = []
    })
    expect([verdict.code, isStarted]).to.deep.equal(['NOT_NEEDED', false])
    expect(waits).to.be.within(1, 2)
  })

  // found by npm run chaos: no lease told of the other yet, and the copy was started twice
  for (const when of ['while it waits', 'when it has the key at last'] as const)
    it(`lets the copy be that another has begun to run: ${when}`, async () => {
      // given: holders take a third one for the one that runs it, and the one that is asked knows of nobody
      const mesh = await createKeyMesh()
      const [third, ...holders] = mesh.nodes as [KeyNode, ...KeyNode[]]
      const asked = holders.pop()!
      const see = (isRunning: boolean) => {
        for (const node of holders) node.leases = isRunning ? [lease(third, 0, mesh.record.version)] : []
      }
      see(true)
      const claims = new Claims()
      const begin = () => {
        claims.note(mesh.record, [0], { peerId: holders[0]!.key.peerId, atMs: ++mesh.clockMs })
      }
      let isGiven = false
      for (const node of mesh.nodes)
        node.lie = (released) => {
          if (released.code === undefined && !isGiven) {
            isGiven = true
            if (when !== 'while it waits') begin()
          }
          return released
        }

      // when
      let waits = 0
      const onDelay = () => {
        waits++
        if (waits === 1 && when === 'while it waits') begin()
        if (waits === 3) see(false)
      }
      const { verdict, isStarted } = await ask(mesh, asked, onDelay, (record, ordinals, sinceMs) =>
        claims.begunSince(record, ordinals, asked.key.peerId, sinceMs)
      )

      // then
      expect([verdict.code, isStarted]).to.deep.equal(['NOT_NEEDED', false])
      expect(isGiven).to.equal(when !== 'while it waits')
    })
})

describe('scheduler: a node that runs its copy of a DaemonSet', () => {
  it('is talked out of it by nobody while it matches', async () => {
    for (const matches of [true, false]) {
      const mesh = await createKeyMesh({ document: DAEMON_SET })
      const [asked, keeper] = mesh.nodes as [KeyNode, KeyNode]
      asked.leases = [lease(asked, 0, mesh.record.version)]
      const dropped: unknown[] = []
      const workloads = {
        ...asked.world.workloads,
        get: () => ({ owner: mesh.record.ownerPeerId, tombstone: false, highest: mesh.record }),
        drop: async (_manifestId: Uint8Array, ordinals: readonly number[]) => void dropped.push(ordinals)
      }
      const labels = { disk: matches ? 'ssd' : 'hdd' }
      const neighbours = () => asked.world.neighbours().map((one) => ({ ...one, labels }))
      const accepting = new Accepting({
        world: { ...asked.world, neighbours, workloads: workloads as unknown as World['workloads'] },
        kept: asked.kept,
        check: () => mesh.record,
        begunElsewhere: () => [],
        onStarting: () => {},
        onNoPart: () => {},
        signal: new AbortController().signal
      })
      const request = { record: new Uint8Array(), ordinals: [], surplus: [0], facts: [], replicas: 1 }

      await accepting.answer(request as unknown as AssignRequest, keeper.key.peerId)

      expect(dropped).to.deep.equal(matches ? [] : [[0]])
    }
  })
})

// found by npm run chaos: it was asked every two seconds, for as long as anybody looked
describe('scheduler: a node that is to let go of a schedule it has handed over', () => {
  it('tells so again, because the keeper has not heard it', async () => {
    const mesh = await createKeyMesh()
    const [asked, keeper] = mesh.nodes as [(typeof mesh.nodes)[0], (typeof mesh.nodes)[0]]
    const told: unknown[] = []
    const stored = { cron: {}, handedOver: true, tombstone: true, highest: { version: mesh.record.version } }
    const workloads = { ...asked.world.workloads, get: () => stored }
    const accepting = new Accepting({
      world: { ...asked.world, workloads: workloads as unknown as World['workloads'] },
      kept: asked.kept,
      check: () => mesh.record,
      begunElsewhere: () => [],
      onStarting: () => {},
      onNoPart: (manifestId) => told.push(manifestId),
      signal: new AbortController().signal
    })
    const request = { record: new Uint8Array(), ordinals: [], surplus: [0], facts: [], replicas: 1 }

    await accepting.answer(request as unknown as AssignRequest, keeper.key.peerId)

    expect(told).to.deep.equal([mesh.record.manifestId])
  })
})
