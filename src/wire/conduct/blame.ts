/** hostile: no honest node sends this · useless: an honest one may, now and then */
export type Blame = 'hostile' | 'useless'

/** No honest node of this version sends what is refused with these. */
const HOSTILE: ReadonlySet<string> = new Set([
  'MESSAGE_TOO_LARGE',
  'MESSAGE_MALFORMED',
  'FRAME_TOO_LARGE',
  'WRONG_NETWORK',
  'WRONG_TYPE',
  'KEY_WEAK',
  'SIGNATURE_INVALID',
  'REPLY_INVALID'
])

/** Clocks, other versions, repetitions, strangers: no harm now and then. */
const USELESS: ReadonlySet<string> = new Set([
  'VERSION_UNSUPPORTED',
  'ALGORITHM_UNSUPPORTED',
  'WRONG_AUDIENCE',
  'TIMESTAMP_STALE',
  'TIMESTAMP_FUTURE',
  'STATEMENT_EXPIRED',
  'PROVIDER_STATEMENT_INVALID',
  'PROTOCOL_UNKNOWN',
  'NOT_AUTHORISED',
  'REPLAYED',
  'TOO_MANY_REQUESTS'
])

/** What a refusal says of whoever sent the message; undefined: nothing, the request itself could not be fulfilled. */
export function blameOf(code: string): Blame | undefined {
  return HOSTILE.has(code) ? 'hostile' : USELESS.has(code) ? 'useless' : undefined
}
