import type { DoneStatement } from '../../generated/fbs/index.ts'
import type { StoredManifest, StoredWorkload } from '../../workloads/index.ts'

/** Facts of one manifest: one for each node that ever ran a part of it. Source: fbs/keep.fbs. */
export const MAX_FACTS = 64
const MAX_COPIES = 64
const MAX_OPEN_SLOTS = 16

/** What a node said of its part of a Job or CronJob, checked. */
export interface Fact extends DoneStatement {
  /** Peer ID. */
  readonly author: string
  /** SignedObject of kind done. */
  readonly bytes: Uint8Array
}

/** What a node says of itself; the rest of the statement says who, when and of what. */
export type Said = Omit<DoneStatement, 'manifestId' | 'bootId' | 'issuedAt'>

/** What this node has to say of its part of a Job or CronJob; undefined: nothing yet. */
export function saidOf(stored: StoredManifest): Said | undefined {
  const { job, cron, version, workloads, tombstone } = stored
  if (job === undefined && cron === undefined) return undefined
  const nothing = { version, copies: [], schedule: [], since: 0, slot: 0, openSlots: [] }
  if (cron !== undefined) {
    if (tombstone) return nothing
    const open = new Set([...(stored.openSlots ?? []), ...workloads.filter(isOpen).map((one) => one.slotMs!)])
    return {
      ...nothing,
      schedule: (stored.slotOrdinals ?? []).slice(0, MAX_COPIES),
      since: stored.acceptedAtMs,
      slot: stored.lastSlotMs ?? stored.acceptedAtMs,
      openSlots: [...open]
        .sort((a, b) => b - a)
        .slice(0, MAX_OPEN_SLOTS)
        .map((at) => ({ at }))
    }
  }
  const copies = workloads.slice(0, MAX_COPIES).map(({ ordinal, job: progress, state, endedAtMs }) => ({
    ordinal,
    done: progress?.done.length ?? 0,
    failures: progress?.failures ?? 0,
    over: endedAtMs !== undefined,
    failed: endedAtMs !== undefined && state === 'failed'
  }))
  const isTold = copies.some(({ done, failures, over }) => done > 0 || failures > 0 || over)
  return isTold ? { ...nothing, copies } : undefined
}

/** Whether anything follows from it. Nothing does from a node's word that it has no part any more. */
export function claims({
  copies,
  schedule,
  openSlots
}: Pick<Said, 'copies' | 'schedule' | 'openSlots'>): boolean {
  return copies.length > 0 || schedule.length > 0 || openSlots.length > 0
}

function isOpen({ slotMs, endedAtMs }: StoredWorkload): boolean {
  return slotMs !== undefined && endedAtMs === undefined
}
