import { asRecord } from '../objects/json.ts'
import type { KubeObject, Manifest } from '../types.ts'
import type { Rollout } from './types.ts'

/** Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/ */
export const DEFAULT_PROGRESS_DEADLINE_MS = 600_000
const DEFAULT_PACE = '25%'

type Pace = number | string

/** The rollout of a validated workload. A Pod is replaced as a Deployment with one copy. */
export function rolloutOf(workload: KubeObject, replicas: number): Rollout {
  const spec = asRecord(workload.spec)
  const common = {
    progressDeadlineMs: milliseconds(spec.progressDeadlineSeconds) ?? DEFAULT_PROGRESS_DEADLINE_MS,
    minReadyMs: milliseconds(spec.minReadySeconds) ?? 0,
    ordered: false
  }
  const rolling = (maxSurge: number, maxUnavailable: number) =>
    ({ strategy: 'RollingUpdate', maxSurge, maxUnavailable, ...common }) as const
  const update = asRecord(spec.updateStrategy ?? spec.strategy)
  const pace = asRecord(update.rollingUpdate) as { maxSurge?: Pace; maxUnavailable?: Pace }
  switch (workload.kind) {
    case 'Pod':
      // because minReadySeconds and the like are no fields of a pod, its spec is not read
      return { ...rolling(1, 0), progressDeadlineMs: DEFAULT_PROGRESS_DEADLINE_MS, minReadyMs: 0 }
    case 'Deployment': {
      if (update.type === 'Recreate')
        return { strategy: 'Recreate', maxSurge: 0, maxUnavailable: replicas, ...common }
      const surge = copies(pace.maxSurge ?? DEFAULT_PACE, replicas, 'up')
      const unavailable = copies(pace.maxUnavailable ?? DEFAULT_PACE, replicas, 'down')
      // because both may round to 0, with which nothing could ever move; Kubernetes does the same
      return rolling(surge, surge === 0 && unavailable === 0 ? 1 : unavailable)
    }
    case 'DaemonSet': {
      const surge = copies(pace.maxSurge ?? 0, 1, 'up') > 0
      return surge ? rolling(1, 0) : rolling(0, 1)
    }
    case 'StatefulSet':
      // because an ordinal has one name and one volume, its old copy must be gone before the new one starts
      return {
        ...rolling(0, Math.max(1, copies(pace.maxUnavailable ?? 1, replicas, 'down'))),
        ordered: spec.podManagementPolicy !== 'Parallel'
      }
    default:
      return { strategy: 'Recreate', maxSurge: 0, maxUnavailable: replicas, ...common }
  }
}

/** Whether a pace as written is no copy at all: `0` or `0%`. */
export function isZeroPace(pace: unknown): boolean {
  return pace === 0 || pace === '0%'
}

function copies(pace: Pace, replicas: number, round: 'up' | 'down'): number {
  if (typeof pace === 'number') return pace
  const exact = (Number.parseInt(pace, 10) * replicas) / 100
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact)
}

function milliseconds(seconds: unknown): number | undefined {
  return typeof seconds === 'number' ? seconds * 1000 : undefined
}

/** Two copies cannot have one host port, one lasting volume, or one name: then the old one goes first. */
export function isReplacedInPlace({ ports, claims, kind, rollout, recovery }: Manifest): boolean {
  const exclusive =
    ports.some(({ hostPort }) => hostPort !== undefined) ||
    claims.length > 0 ||
    recovery.onPartition !== 'keep' // what is fenced runs once
  return exclusive || kind === 'StatefulSet' || rollout.maxSurge === 0
}

/** Copies replaced at a time. Never both surge and unavailable at once: what runs should go on running where it can. */
export function paceOf(manifest: Manifest): number {
  const { ordered, maxSurge, maxUnavailable } = manifest.rollout
  if (ordered) return 1
  return Math.max(1, isReplacedInPlace(manifest) ? maxUnavailable : maxSurge)
}
