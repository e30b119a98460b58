import { BeemeshError } from '../common/index.ts'

export const SEALING_ERROR_CODES = [
  'SEALING_KEY_INVALID',
  'SEALING_KEY_GONE',
  'OPEN_FAILED',
  'CIPHERTEXT_INVALID',
  'CIPHERTEXT_DIGEST_MISMATCH',
  'KEY_COMMITMENT_MISMATCH',
  'PLAINTEXT_TOO_LARGE',
  'SHARE_INVALID',
  'REPLY_OUT_OF_ORDER',
  'REPLY_INVALID_FRAME'
] as const
export type SealingErrorCode = (typeof SEALING_ERROR_CODES)[number]

/** What can go wrong while something is encrypted or decrypted. Never says why in a way that helps a forger. */
export class SealingError extends BeemeshError<SealingErrorCode> {}
