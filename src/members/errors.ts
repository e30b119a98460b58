import { BeemeshError } from '../common/index.ts'

export const MEMBERS_ERROR_CODES = [
  'STATEMENT_INVALID',
  'STATEMENT_EXPIRED',
  'NO_ADDRESS',
  'MEMBER_DEAD'
] as const
export type MembersErrorCode = (typeof MEMBERS_ERROR_CODES)[number]

/** What a node says of itself cannot be believed, or it cannot be reached. */
export class MembersError extends BeemeshError<MembersErrorCode> {}
