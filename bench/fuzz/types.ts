/** Where bytes of somebody else come in. */
export interface Target {
  /** Said in every finding; never reused for something else. */
  readonly name: string
  /** Which mutations make sense beside those of bytes. */
  readonly form: 'flatbuffer' | 'bytes' | 'text' | 'json'
  /** What an honest encoder makes; at least one. */
  readonly seeds: readonly Uint8Array[]
  /** Mutants are never larger, bytes. */
  readonly maxBytes: number
  /** Mutants it gets, relative to others. @default 4 */
  readonly share?: number
  /**
   * The entry point, as near to the socket or the file as it can be called alone. What it returns is searched for bytes from outside of
   * the message. @throws BeemeshError for a refusal; anything else that is thrown is a crash
   */
  feed(message: Uint8Array): unknown
}

/** A mutant that showed something. */
export interface Finding {
  readonly target: string
  readonly kind: 'crash' | 'slow' | 'outside'
  readonly seed: number
  readonly index: number
  readonly what: string
  readonly mutant: Uint8Array
}

export interface TargetCount {
  mutants: number
  accepted: number
  /** By error code. */
  readonly refused: Map<string, number>
  slowestMs: number
}

/** A number from 0 to below `bound`. */
export type Random = (bound: number) => number
