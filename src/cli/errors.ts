import { BeemeshError } from '../common/index.ts'

export const CLI_ERROR_CODES = [
  'USAGE',
  'FILE_UNREADABLE',
  'APPLY_FAILED',
  'POLICY_VIOLATED',
  'INTERRUPTED'
] as const
export type CliErrorCode = (typeof CLI_ERROR_CODES)[number]

/** The command cannot be run as it was written. */
export class CliError extends BeemeshError<CliErrorCode> {}
