import { asRecord, asText } from '../objects/json.ts'
import { jobSpecOf } from '../objects/kube.ts'
import type { KubeObject } from '../types.ts'
import { DEFAULT_TIME_ZONE } from './cron.ts'
import type { CronPlan, JobPlan } from './types.ts'

/** Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/ */
const DEFAULT_BACKOFF_LIMIT = 6
/** Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/cron-job-v1/ */
const DEFAULT_SUCCESSFUL_HISTORY = 3
const DEFAULT_FAILED_HISTORY = 1

type Numbers = Readonly<Record<string, number | undefined>>

/** What a validated Job, or the Job in a CronJob, does; undefined for other kinds. */
export function jobPlanOf(workload: KubeObject): JobPlan | undefined {
  const spec = jobSpecOf(workload)
  if (spec === undefined) return undefined
  const {
    parallelism = 1,
    backoffLimit,
    activeDeadlineSeconds,
    ttlSecondsAfterFinished,
    ...rest
  } = spec as Numbers
  const completions = rest.completions ?? Math.max(1, parallelism)
  return {
    completions,
    parallelism: Math.min(parallelism, completions),
    backoffLimit: backoffLimit ?? DEFAULT_BACKOFF_LIMIT,
    ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineMs: activeDeadlineSeconds * 1000 }),
    ...(ttlSecondsAfterFinished === undefined ? {} : { ttlMs: ttlSecondsAfterFinished * 1000 }),
    indexed: spec.completionMode === 'Indexed'
  }
}

/** When a validated CronJob runs; undefined for other kinds. */
export function cronPlanOf(workload: KubeObject): CronPlan | undefined {
  if (workload.kind !== 'CronJob') return undefined
  const spec = asRecord(workload.spec)
  const { startingDeadlineSeconds, successfulJobsHistoryLimit, failedJobsHistoryLimit } = spec as Numbers
  return {
    schedule: (asText(spec.schedule) ?? '').trim(),
    timeZone: asText(spec.timeZone) ?? DEFAULT_TIME_ZONE,
    concurrencyPolicy: (asText(spec.concurrencyPolicy) ?? 'Allow') as CronPlan['concurrencyPolicy'],
    suspend: spec.suspend === true,
    ...(startingDeadlineSeconds === undefined ? {} : { startingDeadlineMs: startingDeadlineSeconds * 1000 }),
    successfulHistory: successfulJobsHistoryLimit ?? DEFAULT_SUCCESSFUL_HISTORY,
    failedHistory: failedJobsHistoryLimit ?? DEFAULT_FAILED_HISTORY
  }
}

/**
 * The completions that the copy with this ordinal does, one after the other: n, n + parallelism, and so on. Thus nodes
 * share out a Job without asking each other, and each completion is done by exactly one copy.
 */
export function completionsOf(
  { completions, parallelism }: Pick<JobPlan, 'completions' | 'parallelism'>,
  ordinal: number
): number[] {
  if (ordinal >= parallelism) return []
  return Array.from(
    { length: Math.ceil((completions - ordinal) / parallelism) },
    (_, round) => ordinal + round * parallelism
  )
}
