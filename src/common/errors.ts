/** What a person may need to act on an error, beside its sentence. Never secrets, key material or raw peer text. */
export interface BeemeshErrorOptions {
  /** Facts as data: which key, which path, expected, got. JSON-serialisable. */
  readonly details?: Readonly<Record<string, unknown>>
  /** Whether the same call may succeed later without a change. @default false */
  readonly retryable?: boolean
  /** The next command or change to try, one sentence. */
  readonly hint?: string
  readonly cause?: unknown
}

/** Marks our errors across copies of this module: the bundled command loads the node from files that are not bundled. */
const BRAND = Symbol.for('beemesh.error')

/**
 * The base of every error this project throws. Each folder has one subclass with a typed union of codes.
 * The message says what failed, what was expected and where; `cause` always keeps the original.
 */
export class BeemeshError<Code extends string = string> extends Error {
  readonly [BRAND] = true
  readonly code: Code
  readonly details: Readonly<Record<string, unknown>>
  readonly retryable: boolean
  readonly hint: string | undefined

  constructor(code: Code, message: string, options: BeemeshErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.details = options.details ?? {}
    this.retryable = options.retryable ?? false
    this.hint = options.hint
  }
}

/** True for any error of ours, whichever folder threw it. */
export function isBeemeshError(error: unknown): error is BeemeshError {
  return error instanceof Error && BRAND in error
}

/** Turns what was thrown (libp2p rejects with Events at times) into an Error, keeping the original as cause. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  if (typeof thrown === 'object' && thrown !== null && 'error' in thrown && thrown.error instanceof Error)
    return thrown.error
  const what = thrown instanceof Event ? `an event "${thrown.type}"` : String(thrown)
  return new BeemeshError('UNEXPECTED', `something that is no Error was thrown: ${what}`, { cause: thrown })
}
