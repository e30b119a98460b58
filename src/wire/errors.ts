import { BeemeshError } from '../common/index.ts'

export const WIRE_ERROR_CODES = [
  'NODE_UNREACHABLE',
  'TIMED_OUT',
  'CANCELLED',
  'CONNECTION_LOST',
  'FRAME_TOO_LARGE',
  'PROTOCOL_UNKNOWN',
  'NOT_FORWARDABLE',
  'BUSY',
  'REPLAYED',
  'REPLY_INVALID',
  'TOO_MANY_REQUESTS'
] as const
export type WireErrorCode = (typeof WIRE_ERROR_CODES)[number]

/** A message could not be carried, or was refused on the way. */
export class WireError extends BeemeshError<WireErrorCode> {}

/** An error another node reported, with that node's code and words. */
export class RemoteError extends BeemeshError<string> {}
