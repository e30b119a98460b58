import type { BidRequest } from '../../generated/fbs/index.ts'
import { rulesOf } from '../bids/bid.ts'
import { capacityRequest, collectBids } from '../bids/collect-bids.ts'
import { type Plan, plan } from '../plan/index.ts'
import type { CheckedRecord, World } from '../types.ts'

/**
 * Which nodes are to run copies that are missing: asks for bids and plans as an owner does, from what the record shows in clear.
 * @param options.avoid nodes not to be taken, with the reason
 */
export async function placeCopies(
  world: World,
  record: CheckedRecord,
  {
    ordinals,
    avoid,
    leaving,
    signal
  }: {
    readonly ordinals: readonly number[]
    readonly avoid: ReadonlyMap<string, string>
    /** Copies that stop where they are when they run elsewhere, so they do not count there. */
    readonly leaving?: { readonly peerId: string; readonly ordinals: readonly number[] }
    readonly signal: AbortSignal
  }
): Promise<Plan> {
  const { manifestId, owner, cpuMillis, memoryBytes, storageBytes, engine, placement, perNode } = record
  const wanted = { manifestId, owner, cpuMillis, memoryBytes, storageBytes, engine, placement }
  const leases = world.leased(manifestId)
  const running = perNode ? 0 : leases.reduce((sum, { workloads }) => sum + workloads.length, 0)
  const request = capacityRequest({ ...wanted, copies: running + ordinals.length }) as BidRequest
  // because a copy on every node is missing only where none runs
  const runs = new Set(perNode ? leases.map(({ peerId }) => peerId) : [])
  const { bids } = await collectBids(world, request, { signal, among: ({ peerId }) => !runs.has(peerId) })
  const candidates = bids.map(({ view }) => {
    const isLeaving = (ordinal: number) =>
      leaving?.peerId === view.peerId && leaving.ordinals.includes(ordinal)
    return { ...view, ordinals: view.ordinals.filter((one) => !isLeaving(one)) }
  })
  const perCopy = { cpuMillis, memoryBytes, storageBytes }
  const rules = rulesOf(placement)
  const self = world.neighbours().find((one) => one.self)
  return plan(
    { candidates, nearLabels: self?.labels },
    { rules, perCopy, engine, ordinals, perNode, avoid },
    world.random
  )
}
