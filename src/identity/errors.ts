import { BeemeshError } from '../common/index.ts'

export const IDENTITY_ERROR_CODES = [
  'IDENTITY_FILE_MISSING',
  'IDENTITY_FILE_UNSAFE',
  'DATA_DIR_UNSAFE',
  'IDENTITY_FILE_INVALID',
  'IDENTITY_FILE_UNWRITABLE',
  'IDENTITY_FILE_EXISTS',
  'PASSPHRASE_NEEDED',
  'PASSPHRASE_WRONG',
  'PASSPHRASE_INVALID',
  'IDENTITY_KEY_INVALID',
  'IDENTITY_KEY_UNSUPPORTED',
  'PEER_ID_INVALID',
  'NETWORK_NAME_INVALID',
  'NETWORK_SECRET_INVALID'
] as const
export type IdentityErrorCode = (typeof IDENTITY_ERROR_CODES)[number]

/** What can go wrong with keys, their files, peer IDs and networks. */
export class IdentityError extends BeemeshError<IdentityErrorCode> {}
