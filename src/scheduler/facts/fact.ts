import { decode, openObject, signObject } from '../../envelope/index.ts'
import { DONE_STATEMENT, type DoneStatement, encodeDoneStatement } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../../identity/index.ts'
import type { StoredManifest, StoredWorkload } from '../../workloads/index.ts'
import { SchedulerError } from '../errors.ts'
import type { World } from '../types.ts'

/** A fact is never larger, bytes: 64 copies of about 30 bytes each, and its frame. */
export const MAX_FACT_BYTES = 8 * 1024
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

type Said = Omit<DoneStatement, 'manifestId' | 'bootId' | 'issuedAt'>

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

function isOpen({ slotMs, endedAtMs }: StoredWorkload): boolean {
  return slotMs !== undefined && endedAtMs === undefined
}

export function signFact(world: World, manifestId: Uint8Array, said: Said): Uint8Array {
  const bootId = world.neighbours().find(({ self }) => self)?.bootId ?? new Uint8Array(16)
  const body = encodeDoneStatement({ ...said, manifestId, bootId, issuedAt: world.now() })
  return signObject({ kind: 'done', body, key: world.key, networkId: world.networkId })
}

/** @throws EnvelopeError; SchedulerError NOT_FOR_STRANGERS when its author is no member, NOT_ALLOWED when it is too large */
export function openFact(bytes: Uint8Array, world: Pick<World, 'networkId' | 'isMember'>): Fact {
  if (bytes.byteLength > MAX_FACT_BYTES)
    throw new SchedulerError('NOT_ALLOWED', `what is done is told in at most ${MAX_FACT_BYTES} bytes`)
  const { author: publicKey, body } = openObject(bytes, { kind: 'done', networkId: world.networkId })
  const author = peerIdFromPublicKey(publicKey)
  if (!world.isMember(author))
    throw new SchedulerError('NOT_FOR_STRANGERS', 'only members say what of a Job is done')
  return { ...decode(DONE_STATEMENT, body), author, bytes }
}
