import { BeemeshError } from '../common/index.ts'

export const TRUST_ERROR_CODES = [
  'NOT_AUTHORISED',
  'OWNERS_FILE_INVALID',
  'MEMBERSHIP_INVALID',
  'GRANT_INVALID',
  'REVOCATION_INVALID'
] as const
export type TrustErrorCode = (typeof TRUST_ERROR_CODES)[number]

/** Somebody may not do what was asked, or what says who may is broken. */
export class TrustError extends BeemeshError<TrustErrorCode> {}
