import { BeemeshError, type BeemeshErrorOptions, toError } from '../common/index.ts'

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

/** What it means that libp2p opened no stream. @param node as a person calls it */
export function openError(thrown: unknown, node: string, more: BeemeshErrorOptions = {}): WireError {
  const cause = toError(thrown)
  const options = { ...more, cause, retryable: true }
  return cause.name === 'TooManyOutboundProtocolStreamsError'
    ? new WireError('TOO_MANY_REQUESTS', `too many requests at once on one connection to ${node}`, {
        cause,
        retryable: true
      })
    : new WireError('NODE_UNREACHABLE', `cannot reach ${node}: ${cause.message}`, options)
}

/** An error another node reported, with that node's code and words. */
export class RemoteError extends BeemeshError<string> {}
