import { BeemeshError } from '../common/index.ts'

export const SCHEDULER_ERROR_CODES = [
  'NOT_A_MEMBER',
  'NOT_KEPT',
  'NOT_NEEDED',
  'NOT_YET',
  'NOT_ALLOWED',
  'NOT_STARTED',
  'KEY_UNAVAILABLE',
  'NOTHING_FITS'
] as const
export type SchedulerErrorCode = (typeof SCHEDULER_ERROR_CODES)[number]

/** Placing, keeping or recovering a manifest was refused or did not work. */
export class SchedulerError extends BeemeshError<SchedulerErrorCode> {}
