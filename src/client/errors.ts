import { BeemeshError } from '../common/index.ts'

export const CLIENT_ERROR_CODES = [
  'NO_LOCAL_NODE',
  'SEVERAL_LOCAL_NODES',
  'NODE_ADDRESS_INVALID',
  'NODE_UNKNOWN',
  'NODE_AMBIGUOUS',
  'NOT_A_MEMBER',
  'REF_AMBIGUOUS',
  'REF_NOT_FOUND',
  'GRANT_TEXT_INVALID',
  'INVITE_TEXT_INVALID',
  'REVOCATION_REFUSED',
  'NOTHING_FITS',
  'NOT_READABLE',
  'NOT_SCALABLE',
  'NO_VERSION_BEFORE'
] as const
export type ClientErrorCode = (typeof CLIENT_ERROR_CODES)[number]

/** What an owner wants cannot be asked of anybody as it stands. */
export class ClientError extends BeemeshError<ClientErrorCode> {}
