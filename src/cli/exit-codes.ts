import { isBeemeshError } from '../common/index.ts'

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notAuthorised: 3,
  notFound: 4,
  timedOut: 5,
  unreachable: 6
} as const

/** Codes that mean something to a script; every other one is 1. A test holds that each is a code that exists. */
export const EXIT_OF_CODE: Readonly<Record<string, number>> = {
  USAGE: EXIT.usage,
  FILE_UNREADABLE: EXIT.usage,
  POLICY_VIOLATED: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  CONFIG_UNREADABLE: EXIT.usage,
  MANIFEST_INVALID: EXIT.usage,
  MANIFEST_SYNTAX: EXIT.usage,
  MANIFEST_MISSING_REFERENCE: EXIT.usage,
  MANIFEST_TOO_LARGE: EXIT.usage,
  MANIFEST_UNSUPPORTED_KIND: EXIT.usage,
  MANIFEST_UNSUPPORTED_FIELD: EXIT.usage,
  POD_REFUSED: EXIT.usage,
  PEER_ID_INVALID: EXIT.usage,
  NETWORK_NAME_INVALID: EXIT.usage,
  OWNERS_FILE_INVALID: EXIT.usage,
  PASSPHRASE_NEEDED: EXIT.usage,
  PASSPHRASE_INVALID: EXIT.usage,
  NODE_ADDRESS_INVALID: EXIT.usage,
  NODE_AMBIGUOUS: EXIT.usage,
  REF_AMBIGUOUS: EXIT.usage,
  NOT_SCALABLE: EXIT.usage,
  SEVERAL_LOCAL_NODES: EXIT.usage,
  GRANT_TEXT_INVALID: EXIT.usage,
  GRANT_INVALID: EXIT.usage,
  INVITE_TEXT_INVALID: EXIT.usage,
  PASSPHRASE_WRONG: EXIT.notAuthorised,
  NOT_AUTHORISED: EXIT.notAuthorised,
  REVOCATION_REFUSED: EXIT.notAuthorised,
  INVITE_INVALID: EXIT.notAuthorised,
  INVITE_EXPIRED: EXIT.notAuthorised,
  INVITE_USED: EXIT.notAuthorised,
  NOT_A_MEMBER: EXIT.notAuthorised,
  EXEC_DISABLED: EXIT.notAuthorised,
  POLICY_REFUSED: EXIT.notAuthorised,
  EVICTED: EXIT.notAuthorised,
  REF_NOT_FOUND: EXIT.notFound,
  NO_VERSION_BEFORE: EXIT.notFound,
  NODE_UNKNOWN: EXIT.notFound,
  MANIFEST_NOT_FOUND: EXIT.notFound,
  WORKLOAD_NOT_FOUND: EXIT.notFound,
  TIMED_OUT: EXIT.timedOut,
  ENGINE_TIMEOUT: EXIT.timedOut,
  NO_LOCAL_NODE: EXIT.unreachable,
  NODE_UNREACHABLE: EXIT.unreachable
}

/** The exit code for what was thrown. */
export function exitCodeOf(error: unknown): number {
  if (isBeemeshError(error)) return EXIT_OF_CODE[error.code] ?? EXIT.failed
  if (error instanceof Error && error.name === 'TimeoutError') return EXIT.timedOut
  return EXIT.failed
}

/** For an apply of which some copies failed: the reason they all share when it has a code of its own, else 1. */
export function exitCodeOfFailures(codes: readonly (string | undefined)[]): number {
  const shared: readonly number[] = [EXIT.notAuthorised, EXIT.timedOut, EXIT.unreachable]
  const exits = new Set(
    codes.map((code) => (code === undefined ? EXIT.done : (EXIT_OF_CODE[code] ?? EXIT.failed)))
  )
  const [only = EXIT.done] = exits // none: an apply of zero copies, which is done
  return exits.size <= 1 && (only === EXIT.done || shared.includes(only)) ? only : EXIT.failed
}
