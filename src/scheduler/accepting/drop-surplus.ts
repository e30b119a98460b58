import { isBeemeshError, toError, withDeadline } from '../../common/index.ts'
import type { AssignRequest } from '../../generated/fbs/index.ts'
import { CONFIRM_TIMEOUT_MS, KEEPERS, SPARE_KEEPERS } from '../constants.ts'
import { toldOf } from '../facts/past.ts'
import { allFacts } from '../facts/take-facts.ts'
import { countCopies } from '../healing/count.ts'
import { nameOf } from '../healing/neighbours.ts'
import { nodesFor } from '../healing/nodes-for.ts'
import { seeCopies } from '../healing/see-copies.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import { rank } from '../keeping/rank.ts'
import { withinBounds } from '../scale/bounds.ts'
import { runningReplicas } from '../scale/scaler.ts'
import type { CheckedRecord, Neighbour, World } from '../types.ts'

export interface DroppingInit {
  readonly world: World
  readonly kept: KeptTable
  /** A keeper wants the schedule of a CronJob stopped here that was handed over, or deleted: it has not heard so. */
  readonly onNoPart: (manifestId: Uint8Array) => void
  readonly signal: AbortSignal
}

/** Stops those of the proposed copies that this node finds to be too many itself. @param asked.from peer ID of the keeper that proposes it */
export async function dropSurplus(
  { world, kept, onNoPart, signal }: DroppingInit,
  record: CheckedRecord,
  { request, from }: { readonly request: AssignRequest; readonly from: string }
): Promise<void> {
  const stored = world.workloads.get(record.manifestId)
  if (stored?.tombstone === true && stored.cron !== undefined) onNoPart(record.manifestId)
  if (stored === undefined || stored.tombstone || stored.owner !== record.ownerPeerId) return
  const facts = allFacts(world, kept, { record, given: request })
  const told = toldOf(record, facts, world.neighbours())
  const limit = { signal: withDeadline(CONFIRM_TIMEOUT_MS, signal) }
  const leases = await seeCopies(world, record.manifestId, limit)
  // how many are wanted nobody can see but those that are to decide it, and they only within the owner's bounds
  const isKeeper = rank(record.manifestId, world.neighbours().filter(isLive))
    .slice(0, KEEPERS + SPARE_KEEPERS)
    .some(({ peerId }) => peerId === from)
  const isSaid = request.replicas > 0 && isKeeper
  const replicas = isSaid ? withinBounds(record, request.replicas) : runningReplicas(record, leases)
  const nodes = record.perNode ? nodesFor(record, world) : undefined
  const { surplus, live } = countCopies({ ...record, replicas }, leases, nodes, told)
  const own = surplus.filter(({ peerId }) => peerId === world.key.peerId).map(({ ordinal }) => ordinal)
  const going = request.surplus.filter((ordinal) => own.includes(ordinal))
  if (going.length === 0) return
  world.log('copies %s of a manifest are too many here and stop', going.join())
  // what its owner reads of it when a partition is over
  const why = (ordinal: number) => {
    const others = live.filter((copy) => copy.ordinal === ordinal && copy.peerId !== world.key.peerId)
    const names = others.map(({ peerId }) => nameOf(world, peerId)).join(', ')
    return names === '' ? `more than ${replicas} copies ran` : `it ran twice, and goes on on ${names}`
  }
  const drained = new Map(going.map((ordinal) => [ordinal, why(ordinal)]))
  void world.workloads
    .drop(record.manifestId, going, drained)
    .catch((error: unknown) => world.log.error('copies not stopped: %s', describe(error)))
}

function isLive({ state }: Neighbour): boolean {
  return state === 'alive' || state === 'suspect'
}

function describe(error: unknown): string {
  return isBeemeshError(error) ? error.code : toError(error).message
}
