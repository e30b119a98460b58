import { BeemeshError, type BeemeshErrorOptions } from '../common/index.ts'

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

/**
 * Why bytes from somebody else were refused. Has no stack: whoever floods a node would have one walked for each of his messages, which
 * took most of the time of a refusal (4 of 6 µs for random bytes, measured 2026-11-21), and the message says which field of what it was.
 */
export class EnvelopeError extends BeemeshError<EnvelopeErrorCode> {
  constructor(code: EnvelopeErrorCode, message: string, options?: BeemeshErrorOptions) {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(code, message, options)
    Error.stackTraceLimit = stackTraceLimit
  }
}
