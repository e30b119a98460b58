import { BeemeshError } from '../common/index.ts'

export const WORKLOADS_ERROR_CODES = [
  'RECORD_INVALID',
  'RECORD_EXPIRED',
  'VERSION_STALE',
  'EQUIVOCATION',
  'NOT_SEALED_FOR_THIS_NODE',
  'NOT_SCHEDULABLE',
  'NO_PORT_FREE',
  'QUEUE_FULL',
  'MANIFEST_NOT_FOUND',
  'INSUFFICIENT_RESOURCES',
  'ROLLED_BACK',
  'NOT_READY_IN_TIME',
  'POLICY_REFUSED',
  'EXEC_DISABLED',
  'EVICTED',
  'TOO_SLOW'
] as const
export type WorkloadsErrorCode = (typeof WORKLOADS_ERROR_CODES)[number]

/** A node cannot do what was asked of its workloads. */
export class WorkloadsError extends BeemeshError<WorkloadsErrorCode> {}
