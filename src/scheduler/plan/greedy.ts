import { refusalNow } from './constraints/constraints.ts'
import type { Assignment, Refusal, ScorePart } from './types.ts'
import { type NodeState, placeOn, type World } from './world.ts'

/** A strategy says what speaks for a node, as parts of its score. */
export type ScoreNode = (state: NodeState, world: World) => ScorePart[]

/** What is known of a node when all is placed. */
export interface Verdict {
  readonly state: NodeState
  /** When it was looked at last; undefined when it could have taken one. */
  readonly refusal: Refusal | undefined
  /** Of when it was taken last, else of when it was looked at last. */
  readonly parts: readonly ScorePart[]
}

export interface Placed {
  readonly assignments: readonly Assignment[]
  readonly unplaced: readonly number[]
  readonly verdicts: readonly Verdict[]
}

interface Scored {
  readonly state: NodeState
  readonly parts: readonly ScorePart[]
  readonly score: number
}

/** Scores nearer than this are the same; sums of shares are not exact. */
const SAME_SCORE = 1e-9

/**
 * Places the copies one after the other on the node that scores highest then. All copies need the same, so when one finds no
 * node the rest does not either. Changes `world`.
 */
export function placeAll(world: World, scoreNode: ScoreNode, random: () => number): Placed {
  const assignments: Assignment[] = []
  const parts = new Map<NodeState, readonly ScorePart[]>()
  const { ordinals } = world.request
  // of the last decision, because after it a node may fit that did not when it mattered
  let refusals = new Map(world.states.map((state) => [state, refusalNow(state, world)]))
  for (const ordinal of ordinals) {
    refusals = new Map(world.states.map((state) => [state, refusalNow(state, world)]))
    const fitting = world.states
      .filter((state) => refusals.get(state) === undefined)
      .map((state) => scored(state, scoreNode(state, world)))
    for (const one of fitting) if (one.state.placed.length === 0) parts.set(one.state, one.parts)
    const best = pick(fitting, random)
    if (best === undefined) break
    parts.set(best.state, best.parts)
    const reason = `best of ${fitting.length} that fit: ${describeScore(best)}`
    assignments.push({ ordinal, peerId: best.state.candidate.peerId, reason })
    placeOn(world, best.state, ordinal)
  }
  return {
    assignments,
    unplaced: ordinals.slice(assignments.length),
    verdicts: world.states.map((state) => ({
      state,
      refusal: refusals.get(state),
      parts: parts.get(state) ?? []
    }))
  }
}

/** One copy on each node that matches and has none, in the order of their scores. Changes `world`. */
export function placeOnEach(world: World, scoreNode: ScoreNode): Placed {
  const assignments: Assignment[] = []
  const parts = new Map<NodeState, readonly ScorePart[]>()
  const refusals = new Map<NodeState, Refusal>()
  const open = world.states
    .filter(({ copies, refusal }) => copies === 0 && refusal === undefined)
    .map((state) => scored(state, scoreNode(state, world)))
    .sort((a, b) => b.score - a.score || (a.state.candidate.peerId < b.state.candidate.peerId ? -1 : 1))
  for (const { state, parts: its } of open) {
    parts.set(state, its)
    const refusal = refusalNow(state, world)
    if (refusal !== undefined) {
      refusals.set(state, refusal)
      continue
    }
    assignments.push({
      ordinal: 0,
      peerId: state.candidate.peerId,
      reason: 'matches: one copy on each such node'
    })
    placeOn(world, state, 0)
  }
  return {
    assignments,
    unplaced: [...refusals].map(() => 0),
    verdicts: world.states.map((state) => ({
      state,
      refusal:
        state.refusal ??
        refusals.get(state) ??
        (state.copies > state.placed.length ? HAS_ITS_COPY : undefined),
      parts: parts.get(state) ?? []
    }))
  }
}

const HAS_ITS_COPY: Refusal = { one: 'runs its copy already', many: 'run their copy already' }

function scored(state: NodeState, parts: readonly ScorePart[]): Scored {
  return { state, parts, score: totalOf(parts) }
}

export function totalOf(parts: readonly ScorePart[]): number {
  return parts.reduce((sum, { points }) => sum + points, 0)
}

/** The highest score, of those the most reliable, of those any. */
function pick(scored: readonly Scored[], random: () => number): Scored | undefined {
  const best = Math.max(...scored.map(({ score }) => score))
  const equal = scored.filter(({ score }) => score >= best - SAME_SCORE)
  const reliability = ({ state }: Scored) => Math.round(state.candidate.reliability * 10)
  const most = Math.max(...equal.map(reliability))
  const ties = equal.filter((one) => reliability(one) === most)
  return anyOf(ties, random)
}

/** Draws a number only where there is a choice. */
export function anyOf<T>(equal: readonly T[], random: () => number): T | undefined {
  return equal.length <= 1 ? equal[0] : equal[Math.min(equal.length - 1, Math.floor(random() * equal.length))]
}

/** `score 168: base 100, cpu +30, copies -130`. */
export function describeScore({ parts }: { readonly parts: readonly ScorePart[] }): string {
  return `score ${rounded(totalOf(parts))}: ${describeParts(parts)}`
}

export function describeParts(parts: readonly ScorePart[]): string {
  return parts
    .map(({ name, points }, index) => `${name} ${index > 0 && points > 0 ? '+' : ''}${rounded(points)}`)
    .join(', ')
}

function rounded(points: number): number {
  return Math.round(points * 10) / 10 + 0
}
