import { fromHex, toHex, withDeadline } from '../../common/index.ts'
import { CONFIRM_TIMEOUT_MS } from '../constants.ts'
import { liveCopies } from '../healing/count.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import { type AutoscaleHistory, type CopyUse, desiredReplicas, EMPTY_HISTORY } from '../plan/autoscale.ts'
import type { CheckedRecord, Lease, World } from '../types.ts'
import { autoscaleOf, withinBounds } from './bounds.ts'

/** How often it is computed how many copies there should be. Source: --horizontal-pod-autoscaler-sync-period. */
export const SCALE_INTERVAL_MS = 15_000
/** What was decided here counts for so long; then what runs does. Chosen: three periods. */
export const DECISION_MS = 3 * SCALE_INTERVAL_MS

interface Decision {
  readonly version: number
  readonly atMs: number
  readonly replicas: number
  /** Copies from this number on are new, and were never lost. */
  readonly newFrom: number
  readonly history: AutoscaleHistory
}

/**
 * How many copies of a manifest with an autoscaler a keeper wants. Only the nearest decides; everybody else, and whoever comes after it,
 * takes what runs for what was decided, so that nobody has to agree with anybody.
 */
export class Scaler {
  readonly #world: World
  readonly #decisions = new Map<string, Decision>()

  constructor(world: World) {
    this.#world = world
  }

  /** Copies to want now, in the bounds that the owner signed. */
  wanted(record: CheckedRecord, leases: readonly Lease[]): number {
    if (record.tombstone || autoscaleOf(record) === undefined) return record.replicas
    return this.#fresh(record)?.replicas ?? runningReplicas(record, leases)
  }

  /** Whether a copy was added by a decision of this node, so that none of its kind can have been lost. */
  isNew(record: CheckedRecord, ordinal: number): boolean {
    const decision = this.#fresh(record)
    return decision !== undefined && ordinal >= decision.newFrom
  }

  /** As the keeper that acts: computes it anew when it is time. @returns why, when the number changed */
  async decide(record: CheckedRecord, signal: AbortSignal): Promise<string | undefined> {
    const spec = record.tombstone ? undefined : autoscaleOf(record)
    if (spec === undefined) return undefined
    const world = this.#world
    const key = toHex(record.manifestId)
    const before = this.#decisions.get(key)
    const nowMs = world.now()
    if (before !== undefined && nowMs - before.atMs < SCALE_INTERVAL_MS) return undefined
    const options = { signal: withDeadline(CONFIRM_TIMEOUT_MS, signal), fresh: true }
    const leases = await world.find(record.manifestId, options).catch(() => [])
    const current = this.wanted(record, leases)
    const { replicas, history, reason } = desiredReplicas({
      spec,
      current,
      metrics: usesOf(leases, current),
      // because what was seen of an older version says little of this one, but when it was scaled still counts
      history: before?.history ?? EMPTY_HISTORY,
      nowMs
    })
    const newFrom =
      replicas > current ? current : Math.min(before?.newFrom ?? Number.MAX_SAFE_INTEGER, replicas)
    this.#decisions.set(key, { version: record.version, atMs: nowMs, replicas, newFrom, history })
    return replicas === current ? undefined : `from ${current} to ${replicas} copies: ${reason}`
  }

  /** Another keeper is nearer, and decides: by what runs this one sees what that is. */
  leave({ manifestId }: Pick<CheckedRecord, 'manifestId'>): void {
    this.#decisions.delete(toHex(manifestId))
  }

  /** Forgets manifests that are not kept here any more. */
  tidy(kept: KeptTable): void {
    for (const key of this.#decisions.keys())
      if (kept.get(fromHex(key)) === undefined) this.#decisions.delete(key)
  }

  #fresh({ manifestId, version }: CheckedRecord): Decision | undefined {
    const decision = this.#decisions.get(toHex(manifestId))
    const isFresh = decision?.version === version && this.#world.now() - decision.atMs < DECISION_MS
    return isFresh ? decision : undefined
  }
}

/** What was decided, as what runs tells it: the highest copy and all below it. */
export function runningReplicas(
  record: Pick<CheckedRecord, 'autoscale' | 'replicas'>,
  leases: readonly Lease[]
): number {
  const ordinals = liveCopies(leases).map(({ ordinal }) => ordinal)
  return withinBounds(record, ordinals.length === 0 ? record.replicas : Math.max(...ordinals) + 1)
}

/** What the copies use, as their nodes say; those that do not run yet are pending. */
export function usesOf(leases: readonly Lease[], current: number): CopyUse[] {
  const running = leases.flatMap(({ workloads }) => workloads)
  return Array.from({ length: current }, (_, ordinal): CopyUse => {
    const copy = running.filter((one) => one.ordinal === ordinal).sort((a, b) => b.startedAt - a.startedAt)[0]
    if (copy === undefined) return { state: 'pending', ready: false }
    const { startedAt: startedAtMs, usedAt, usedOverMs, cpuMillisUsed, memoryBytesUsed } = copy
    const state = { state: 'running', startedAtMs, ready: true, readySinceMs: startedAtMs } as const
    if (usedAt === 0) return state
    const cpu = usedOverMs > 0 ? { cpuMillis: cpuMillisUsed, windowMs: usedOverMs } : {}
    return { ...state, ...cpu, memoryBytes: memoryBytesUsed, measuredAtMs: usedAt }
  })
}
