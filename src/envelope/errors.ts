import { BeemeshError } from '../common/index.ts'

export const ENVELOPE_ERROR_CODES = [
  'MESSAGE_TOO_LARGE',
  'MESSAGE_MALFORMED',
  'VERSION_UNSUPPORTED',
  'ALGORITHM_UNSUPPORTED',
  'WRONG_NETWORK',
  'TIMESTAMP_STALE',
  'TIMESTAMP_FUTURE',
  'WRONG_AUDIENCE',
  'WRONG_TYPE',
  'KEY_WEAK',
  'SIGNATURE_INVALID'
] as const
export type EnvelopeErrorCode = (typeof ENVELOPE_ERROR_CODES)[number]

/** Why bytes from somebody else were refused. */
export class EnvelopeError extends BeemeshError<EnvelopeErrorCode> {}
