import { createHash } from 'node:crypto'
import type { CheckedRecord, Lease } from '../types.ts'

/** A copy that runs somewhere, as its node's lease says. */
export interface LiveCopy {
  readonly peerId: string
  readonly ordinal: number
  readonly version: number
  /** The newest version its node knows of. */
  readonly highest: number
  readonly isReady: boolean
  readonly startedAtMs: number
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
  return leases.flatMap(({ peerId, version, highest, workloads }) =>
    [...new Map(workloads.map((one) => [one.ordinal, one])).values()].map(
      ({ ordinal, state, startedAt }) => ({
        peerId,
        ordinal,
        version,
        highest,
        isReady: state === 'ready',
        startedAtMs: startedAt
      })
    )
  )
}

/**
 * What of a manifest runs too little, too much, or too old. Pure; every node that sees the same leases gets the same answer, which is what
 * makes it harmless that two act at once.
 * @param nodes peer IDs of those that are to have a copy each, of a manifest with a copy on every node
 */
export function countCopies(
  record: Pick<CheckedRecord, 'manifestId' | 'version' | 'replicas' | 'perNode' | 'tombstone'>,
  leases: readonly Lease[],
  nodes: readonly string[] = []
): Count {
  const live = liveCopies(leases)
  const { version, replicas, perNode, tombstone } = record
  if (tombstone) return { missing: [], outdated: [], surplus: live, live }
  const outdated = live.filter((copy) => copy.version < version && copy.highest < version)
  if (perNode) {
    const running = new Set(live.map(({ peerId }) => peerId))
    const surplus = live.filter(({ peerId }) => !nodes.includes(peerId))
    return { missing: nodes.filter((one) => !running.has(one)).map(() => 0), outdated, surplus, live }
  }
  const surplus: LiveCopy[] = []
  const missing: number[] = []
  const wanted = live.filter(({ ordinal }) => ordinal < replicas)
  for (let ordinal = 0; ordinal < replicas; ordinal++) {
    const [kept, ...others] = wanted
      .filter((copy) => copy.ordinal === ordinal)
      .sort((a, b) => compare(a, b, record.manifestId))
    if (kept === undefined) missing.push(ordinal)
    else surplus.push(...others)
  }
  // too many only when the newest version is complete: until then what is old does the work
  const isComplete = missing.length === 0 && wanted.some((copy) => copy.version === version)
  if (isComplete) surplus.push(...live.filter(({ ordinal }) => ordinal >= replicas))
  return { missing, outdated, surplus, live }
}

export function isRight({ missing, outdated, surplus }: Count): boolean {
  return missing.length === 0 && outdated.length === 0 && surplus.length === 0
}

/** A text that is the same as long as the same is wrong. */
export function whatIsWrong({ missing, outdated, surplus }: Count): string {
  const copies = (some: readonly LiveCopy[]) =>
    some.map(({ peerId, ordinal }) => `${ordinal}@${peerId}`).sort()
  return [missing, copies(outdated), copies(surplus)].join(' ')
}

/** Which of two copies with one number stays: the newer version, the one that is ready, then by a draw that everybody repeats. */
function compare(a: LiveCopy, b: LiveCopy, manifestId: Uint8Array): number {
  if (a.version !== b.version) return b.version - a.version
  if (a.isReady !== b.isReady) return a.isReady ? -1 : 1
  return Buffer.compare(draw(a.peerId, manifestId), draw(b.peerId, manifestId))
}

function draw(peerId: string, manifestId: Uint8Array): Buffer {
  return createHash('sha256').update(manifestId).update(peerId).digest()
}
