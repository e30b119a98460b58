import type { Autoscale, AutoscaleMetric } from '../../manifest/index.ts'
import { changeAllowed, stabilised } from './autoscale-pace.ts'

/** Ratios of usage to target this near to 1 change nothing. Source: Kubernetes' --horizontal-pod-autoscaler-tolerance. */
export const TOLERANCE = 0.1
/** So long after its start the CPU use of a copy counts only while it is ready. Source: --horizontal-pod-autoscaler-cpu-initialization-period. */
export const CPU_INITIALISATION_MS = 300_000
/** A copy that has become unready within so long after its start was never ready. Source: --horizontal-pod-autoscaler-initial-readiness-delay. */
export const INITIAL_READINESS_MS = 30_000

/** What is known of one copy. */
export interface CopyUse {
  /** `pending`: nothing of it runs yet. `leaving`: it has failed or is being stopped, and does not count. */
  readonly state: 'pending' | 'running' | 'leaving'
  readonly startedAtMs?: number
  readonly ready: boolean
  /** When `ready` became what it is; undefined when it never was said. */
  readonly readySinceMs?: number
  /** Undefined where nobody knows: such a copy is taken to use nothing when copies would be added, all it requests when taken away. */
  readonly cpuMillis?: number
  readonly memoryBytes?: number
  /** When its use was measured, and over how long. */
  readonly measuredAtMs?: number
  readonly windowMs?: number
}

/** What was wanted and done before; as it came from the last call, `EMPTY_HISTORY` at first. */
export interface AutoscaleHistory {
  readonly wanted: readonly { readonly atMs: number; readonly replicas: number }[]
  readonly added: readonly ScaleEvent[]
  readonly removed: readonly ScaleEvent[]
}

export interface ScaleEvent {
  readonly atMs: number
  /** Copies, above 0. */
  readonly change: number
}

export const EMPTY_HISTORY: AutoscaleHistory = { wanted: [], added: [], removed: [] }

export interface AutoscaleInput {
  readonly spec: Autoscale
  /** Copies that are wanted now. */
  readonly current: number
  readonly metrics: readonly CopyUse[]
  readonly history: AutoscaleHistory
  readonly nowMs: number
}

export interface AutoscaleResult {
  /** Copies to want from now on; never beyond the bounds of the manifest, but for 0, which stays 0. */
  readonly replicas: number
  /** For the next call, with `replicas` taken as done. */
  readonly history: AutoscaleHistory
  readonly reason: string
}

/**
 * How many copies there should be, as Kubernetes' HorizontalPodAutoscaler computes it (pkg/controller/podautoscaler of 1.33): the
 * metric that asks for most, in the bounds, held back by stabilisation windows and policies. Pure; call it every 15 s.
 */
export function desiredReplicas({ spec, current, metrics, history, nowMs }: AutoscaleInput): AutoscaleResult {
  const { minReplicas, maxReplicas } = spec
  // because after a restart of the keeper nothing is taken away before the window has passed
  const before =
    history.wanted.length > 0 ? history : { ...history, wanted: [{ atMs: nowMs, replicas: current }] }
  const done = (replicas: number, reason: string, since = before): AutoscaleResult => {
    const change = Math.abs(replicas - current)
    const event = change === 0 ? [] : [{ atMs: nowMs, change }]
    return {
      replicas,
      history: {
        ...since,
        added: [...since.added, ...(replicas > current ? event : [])],
        removed: [...since.removed, ...(replicas < current ? event : [])]
      },
      reason
    }
  }
  if (current === 0) return done(0, 'no copies are wanted, so nothing is scaled')
  if (current > maxReplicas) return done(maxReplicas, `more than the maximum of ${maxReplicas}`)
  if (current < minReplicas) return done(minReplicas, `fewer than the minimum of ${minReplicas}`)
  const proposals = spec.metrics.map((metric) => propose(metric, { spec, current, metrics, nowMs }))
  const known = proposals.filter((one) => one !== undefined)
  const best = known.reduce<Proposal | undefined>(
    (most, one) => (most === undefined || one.replicas > most.replicas ? one : most),
    undefined
  )
  if (best === undefined) return done(current, 'nobody knows what the copies use')
  if (known.length < proposals.length && best.replicas < current)
    return done(current, 'what the copies use is known in part only, so none is taken away')
  const { replicas: steady, history: recorded } = stabilised(spec, {
    current,
    wanted: best.replicas,
    history: before,
    nowMs
  })
  const replicas = changeAllowed(spec, { current, wanted: steady, history: recorded, nowMs })
  const held =
    replicas === best.replicas
      ? ''
      : steady !== best.replicas
        ? `; ${best.replicas} wanted, held by the stabilisation window`
        : `; ${best.replicas} wanted, held by bounds and policies`
  return done(replicas, `${best.reason}${held}`, recorded)
}

interface Proposal {
  readonly replicas: number
  readonly reason: string
}

/** Copies by one metric; undefined where nothing can be said. */
function propose(
  { resource, utilization: target }: AutoscaleMetric,
  { spec, current, metrics, nowMs }: Pick<AutoscaleInput, 'spec' | 'current' | 'metrics' | 'nowMs'>
): Proposal | undefined {
  const request = resource === 'cpu' ? spec.requests.cpuMillis : spec.requests.memoryBytes
  if (request <= 0) return undefined
  const groups = { ready: [] as number[], missing: 0, unready: 0 }
  for (const copy of metrics) {
    const use = resource === 'cpu' ? copy.cpuMillis : copy.memoryBytes
    if (copy.state === 'leaving') continue
    if (copy.state === 'pending') groups.unready += 1
    else if (use === undefined) groups.missing += 1
    else if (resource === 'cpu' && isUnready(copy, nowMs)) groups.unready += 1
    else groups.ready.push(use)
  }
  const { ready, missing, unready } = groups
  if (ready.length === 0) return undefined
  const utilizationOf = (uses: readonly number[]) =>
    Math.trunc((uses.reduce((sum, use) => sum + use, 0) * 100) / (request * uses.length))
  const now = utilizationOf(ready)
  const ratio = now / target
  const reason = `${resource} at ${now} % of what is requested, target ${target} %`
  const stay: Proposal = { replicas: current, reason }
  const countsUnready = unready > 0 && ratio > 1
  if (!countsUnready && missing === 0)
    return isWithin(ratio) ? stay : { replicas: Math.ceil(ratio * ready.length), reason }
  // because what is not known must not make a change larger
  const assumed = ratio < 1 ? Math.trunc((request * Math.max(100, target)) / 100) : 0
  const all = [
    ...ready,
    ...Array.from({ length: ratio === 1 ? 0 : missing }, () => assumed),
    ...Array.from({ length: countsUnready ? unready : 0 }, () => 0)
  ]
  const careful = utilizationOf(all) / target
  if (isWithin(careful) || (ratio < 1 && careful > 1) || (ratio > 1 && careful < 1)) return stay
  const replicas = Math.ceil(careful * all.length)
  return (careful < 1 && replicas > current) || (careful > 1 && replicas < current)
    ? stay
    : { replicas, reason }
}

function isWithin(ratio: number): boolean {
  return 1 - TOLERANCE <= ratio && ratio <= 1 + TOLERANCE
}

/** Whether the CPU use of a copy is only that of its start. */
function isUnready(
  { startedAtMs, ready, readySinceMs, measuredAtMs = 0, windowMs = 0 }: CopyUse,
  nowMs: number
): boolean {
  if (startedAtMs === undefined || readySinceMs === undefined) return true
  if (startedAtMs + CPU_INITIALISATION_MS > nowMs) return !ready || measuredAtMs < readySinceMs + windowMs
  return !ready && startedAtMs + INITIAL_READINESS_MS > readySinceMs
}
