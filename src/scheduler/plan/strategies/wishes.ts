import { APART_POINTS, SPREAD_POINTS } from '../constants.ts'
import type { ScorePart } from '../types.ts'
import type { NodeState, World } from '../world.ts'

/** The score parts that a manifest wishes for without demanding them, the same in every strategy that scores. */
export function wishParts(state: NodeState, world: World): ScorePart[] {
  return [...state.wishes, ...apartParts(state, world), ...spreadParts(state, world)]
}

/** Weights count by how many copies share the value, as a share of the value with the most. */
function apartParts(state: NodeState, { apart }: World): ScorePart[] {
  const soft = apart.filter(({ required }) => !required)
  if (soft.length === 0) return []
  const total = soft.reduce((sum, { weight }) => sum + weight, 0)
  const shared = soft.reduce((sum, { weight, counts }) => {
    const { most } = counts.range()
    return most === 0 ? sum : sum + (weight * (counts.of(state) ?? 0)) / most
  }, 0)
  return [{ name: 'apart', points: points(APART_POINTS, shared / total) }]
}

/** From the value with the fewest copies to the one with the most; a node without the label counts as the latter. */
function spreadParts(state: NodeState, { spread }: World): ScorePart[] {
  const soft = spread.filter(({ required }) => !required)
  if (soft.length === 0) return []
  const shares = soft.map(({ counts }) => {
    const copies = counts.of(state)
    const { least, most } = counts.range()
    if (copies === undefined) return 1
    return most === least ? 0 : (copies - least) / (most - least)
  })
  return [
    { name: 'spread', points: points(SPREAD_POINTS, shares.reduce((a, b) => a + b, 0) / shares.length) }
  ]
}

/** Whole points, and never -0. */
export function points(most: number, share: number): number {
  return Math.round(most * share) + 0
}
