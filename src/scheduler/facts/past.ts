import { equalBytes } from '../../common/index.ts'
import type { Past } from '../../workloads/index.ts'
import type { LiveCopy, Told } from '../healing/count.ts'
import type { CheckedRecord, Neighbour } from '../types.ts'
import type { Fact } from './fact.ts'

/** Copies of a Job that nobody has to run any more: they are done, or failed for good. */
export function overOrdinals(facts: readonly Fact[], version: number): Set<number> {
  const ofVersion = facts.filter((fact) => fact.version === version)
  return new Set(
    ofVersion.flatMap(({ copies }) => copies.filter(({ over }) => over).map((one) => one.ordinal))
  )
}

/**
 * Who starts the runs of a CronJob: between two of them no lease tells. A node that is gone starts nothing, nor does one that was started
 * again and has not said so since.
 */
export function schedulesOf(
  facts: readonly Fact[],
  nodes: readonly Pick<Neighbour, 'peerId' | 'state' | 'bootId'>[]
): LiveCopy[] {
  return facts.flatMap(({ author, version, schedule, bootId, since }) => {
    const node = nodes.find(({ peerId }) => peerId === author)
    const isThere = node?.state === 'alive' || node?.state === 'suspect'
    if (!isThere || !equalBytes(node.bootId, bootId)) return []
    return schedule.map((ordinal) => ({
      peerId: author,
      ordinal,
      version,
      highest: version,
      isReady: true,
      isLeaving: false,
      startedAtMs: since,
      sinceMs: since
    }))
  })
}

/** What facts say of a manifest, for counting. */
export function toldOf(
  record: Pick<CheckedRecord, 'lifetime' | 'version'>,
  facts: readonly Fact[],
  nodes: readonly Pick<Neighbour, 'peerId' | 'state' | 'bootId'>[]
): Told {
  if (record.lifetime === 'job') return { over: overOrdinals(facts, record.version) }
  return record.lifetime === 'cron' ? { schedules: schedulesOf(facts, nodes) } : {}
}

/**
 * What was done of these copies by nodes that had them before. @param nowMs no slot after it was started by anybody: whoever said so
 * would keep the runs before it from being started
 */
export function pastOf(
  facts: readonly Fact[],
  {
    version,
    ordinals,
    self,
    nowMs
  }: { version: number; ordinals: readonly number[]; self: string; nowMs: number }
): Past {
  const ofVersion = facts.filter((fact) => fact.version === version)
  const progress = new Map<number, { done: number; failures: number }>()
  for (const { ordinal, done, failures } of ofVersion.flatMap(({ copies }) => copies)) {
    const known = progress.get(ordinal)
    if (ordinals.includes(ordinal))
      progress.set(ordinal, {
        done: Math.max(done, known?.done ?? 0),
        failures: Math.max(failures, known?.failures ?? 0)
      })
  }
  const before = ofVersion
    .filter(({ author, schedule }) => author !== self && schedule.some((one) => ordinals.includes(one)))
    .sort((a, b) => b.since - a.since)[0]
  if (before === undefined) return { progress }
  const openSlots = before.openSlots.map(({ at }) => at).filter((at) => at <= nowMs)
  return { progress, slotMs: Math.min(before.slot, nowMs), openSlots }
}
