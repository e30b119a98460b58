import { createHash } from 'node:crypto'
import type { CheckedRecord, Lease } from '../types.ts'
import type { NodesOf } from './nodes-for.ts'

/** A copy that runs somewhere, as its node's lease says. */
export interface LiveCopy {
  readonly peerId: string
  readonly ordinal: number
  readonly version: number
  /** The newest version its node knows of. */
  readonly highest: number
  readonly isReady: boolean
  /** Its node has another one run it, and then stops it by itself. */
  readonly isLeaving: boolean
  readonly startedAtMs: number
  /** Of a CronJob, whose schedule counts and not its runs: when the node took it. Of two the later one stays. */
  readonly sinceMs?: number
}

/** What nodes have said of a Job or CronJob. */
export interface Told {
  readonly over?: ReadonlySet<number>
  readonly schedules?: readonly LiveCopy[] | undefined
}

export interface Count {
  /** Copies that should run and do not. */
  readonly missing: readonly number[]
  /** Copies of an older version on nodes that do not know the newest one. */
  readonly outdated: readonly LiveCopy[]
  /** Copies that should not run: beyond the number, doubled, or of an older version while the newest runs. */
  readonly surplus: readonly LiveCopy[]
  readonly live: readonly LiveCopy[]
}

/** One for each number and node: a node that replaces a copy by a newer one runs both for a moment, and that is its own matter. */
export function liveCopies(leases: readonly Lease[]): LiveCopy[] {
  // because a search that finds nobody names who ran it before, who may be the very node that is dead
  const valid = leases.filter(({ source }) => source !== 'stale')
  return valid.flatMap(({ peerId, version, highest, workloads }) =>
    [...new Map(workloads.map((one) => [one.ordinal, one])).values()].map(
      ({ ordinal, state, startedAt }) => ({
        peerId,
        ordinal,
        version,
        highest,
        isReady: state === 'ready',
        isLeaving: state === 'stopping',
        startedAtMs: startedAt
      })
    )
  )
}

/**
 * What of a manifest runs too little, too much, or too old. Pure; every node that sees the same leases gets the same answer, which is what
 * makes it harmless that two act at once.
 * @param nodes of a manifest with a copy on every node
 * @param told of a Job the copies that are over, which nobody has to run; of a CronJob who starts its runs, in the place of leases
 */
export function countCopies(
  record: Pick<CheckedRecord, 'manifestId' | 'version' | 'replicas' | 'perNode' | 'tombstone'>,
  leases: readonly Lease[],
  nodes?: NodesOf | undefined,
  told: Told = {}
): Count {
  const live = told.schedules ?? liveCopies(leases)
  const { version, replicas, perNode, tombstone } = record
  if (tombstone) return { missing: [], outdated: [], surplus: live, live }
  const outdated = live.filter((copy) => copy.version < version && copy.highest < version)
  if (perNode) {
    const running = new Set(live.map(({ peerId }) => peerId))
    const surplus = live.filter(({ peerId }) => nodes?.kept.has(peerId) === false)
    const missing = (nodes?.wanted ?? []).filter((one) => !running.has(one)).map(() => 0)
    return { missing, outdated, surplus, live }
  }
  const surplus: LiveCopy[] = []
  const missing: number[] = []
  const wanted = live.filter(({ ordinal }) => ordinal < replicas)
  const byOrdinal = Map.groupBy(live, ({ ordinal }) => ordinal)
  for (let ordinal = 0; ordinal < replicas; ordinal++)
    if (!byOrdinal.has(ordinal) && told.over?.has(ordinal) !== true) missing.push(ordinal)
  for (const copies of byOrdinal.values()) {
    const [kept, ...others] = copies.sort((a, b) => compare(a, b, record.manifestId))
    // both versions of it on one node are that node's rollout, which ends by itself
    surplus.push(...others.filter((one) => one.peerId !== kept!.peerId && !one.isLeaving))
  }
  // too many only when the newest version is complete: until then what is old does the work
  const isComplete =
    missing.length === 0 && (replicas === 0 || wanted.some((copy) => copy.version === version))
  if (isComplete) surplus.push(...live.filter((copy) => copy.ordinal >= replicas && !surplus.includes(copy)))
  return { missing, outdated, surplus, live }
}

export function isRight({ missing, outdated, surplus }: Count): boolean {
  return missing.length === 0 && outdated.length === 0 && surplus.length === 0
}

/**
 * Which of two copies with one number stays: whose node was given the newer version, though it may be about to start it; whose runs it; the
 * one that is ready; then by a draw that everybody repeats.
 */
function compare(a: LiveCopy, b: LiveCopy, manifestId: Uint8Array): number {
  if (a.isLeaving !== b.isLeaving) return a.isLeaving ? 1 : -1
  if (a.highest !== b.highest) return b.highest - a.highest
  if (a.version !== b.version) return b.version - a.version
  if (a.sinceMs !== b.sinceMs) return (b.sinceMs ?? 0) - (a.sinceMs ?? 0)
  if (a.isReady !== b.isReady) return a.isReady ? -1 : 1
  return Buffer.compare(draw(a.peerId, manifestId), draw(b.peerId, manifestId))
}

function draw(peerId: string, manifestId: Uint8Array): Buffer {
  return createHash('sha256').update(manifestId).update(peerId).digest()
}
