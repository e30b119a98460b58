import { BeemeshError } from '../common/index.ts'

export const GUESTS_ERROR_CODES = ['INVITE_INVALID', 'INVITE_EXPIRED', 'INVITE_USED', 'OWNERS_FIXED'] as const
export type GuestsErrorCode = (typeof GUESTS_ERROR_CODES)[number]

/** An invite does not let this node in, or whom it obeys cannot be changed like this. */
export class GuestsError extends BeemeshError<GuestsErrorCode> {}
