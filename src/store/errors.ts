import { BeemeshError } from '../common/index.ts'

export const STORE_ERROR_CODES = [
  'STORE_LOCKED',
  'STORE_UNUSABLE',
  'STORE_VALUE_INVALID',
  'STORE_WRITE_FAILED'
] as const
export type StoreErrorCode = (typeof STORE_ERROR_CODES)[number]

/** The node's durable state cannot be opened, read or written. */
export class StoreError extends BeemeshError<StoreErrorCode> {}
