import type { MemberState } from '../../../src/generated/fbs/index.ts'

/** How soon nodes notice. Source: facts on the mesh and docs/BENCHMARKS.md, "How soon a dead node is noticed". */
const KILLED_MS = { suspect: 50, dead: 300 } as const
const SILENT_MS = { suspect: 3_000, dead: 4_500 } as const
const GOODBYE_MS = 10
/** From the moment that a node can be reached again until it counts as alive. */
const BACK_MS = 800

/** What one node thinks of another. */
export type Opinion = MemberState | 'unknown'

/** What one node sees of another, and since when: also of a connection between them. */
export interface Sight {
  readonly up: boolean
  readonly sinceMs: number
  /** What was thought before that. */
  readonly before: Opinion
  /** Nothing told that it is gone. */
  readonly silent: boolean
  /** It said that it goes; true until it is back, also while it is starting. */
  readonly left: boolean
}

export function unseen(nowMs: number): Sight {
  return { up: false, sinceMs: nowMs, before: 'unknown', silent: true, left: false }
}

export function judge(sight: Sight | undefined, nowMs: number): Opinion {
  if (sight === undefined) return 'unknown'
  const { up, sinceMs, before, silent, left } = sight
  const elapsedMs = nowMs - sinceMs
  if (up) return elapsedMs >= BACK_MS ? 'alive' : before
  if (before === 'unknown') return 'unknown'
  if (left) return 'left'
  const { suspect, dead } = silent ? SILENT_MS : KILLED_MS
  if (before === 'dead' || before === 'left' || elapsedMs >= dead) return 'dead'
  return elapsedMs >= suspect ? 'suspect' : before
}

/** @returns what is seen from now on, and when that is believed, ms (undefined: it is already); undefined when nothing changed */
export function changed(
  last: Sight | undefined,
  { up, left, isTold, nowMs }: { up: boolean; left: boolean; isTold: boolean; nowMs: number }
): { readonly sight: Sight; readonly settlesInMs: number | undefined } | undefined {
  const was = last ?? unseen(nowMs)
  if (up === was.up) return undefined
  const before = judge(was, nowMs)
  const sight = { up, sinceMs: nowMs, before, silent: !isTold && !left, left }
  if (up) return { sight, settlesInMs: before === 'alive' ? undefined : BACK_MS }
  return { sight, settlesInMs: left ? GOODBYE_MS : isTold ? KILLED_MS.dead : SILENT_MS.dead }
}
