import { BeemeshError } from '../common/index.ts'

export const SCHEDULER_ERROR_CODES = [
  'NOT_FOR_STRANGERS',
  'NOT_KEPT',
  'NOT_DURABLE',
  'NOT_NEEDED',
  'NOT_YET',
  'NOT_ALLOWED',
  'NOT_STARTED',
  'KEY_UNAVAILABLE',
  'FENCED',
  'HELD_ELSEWHERE'
] as const
export type SchedulerErrorCode = (typeof SCHEDULER_ERROR_CODES)[number]

/** Placing, keeping or recovering a manifest was refused or did not work. */
export class SchedulerError extends BeemeshError<SchedulerErrorCode> {}
