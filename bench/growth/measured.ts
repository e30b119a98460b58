import type { Counts } from './count.ts'

/** Messages in a mesh of one size, an entry for each announcement or lookup. */
export interface Measured {
  readonly nodes: number
  /** To how many others each node was connected. */
  readonly connections: readonly number[]
  readonly announce: readonly Counts[]
  /** `find` with limit 1, and without. */
  readonly lookupFirst: readonly Counts[]
  readonly lookupAll: readonly Counts[]
}
