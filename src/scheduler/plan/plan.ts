import { safeText } from '../../common/index.ts'
import type { Strategy } from '../../manifest/index.ts'
import { type Placed, placeAll, placeOnEach, type ScoreNode, totalOf, type Verdict } from './greedy.ts'
import { planPreempting } from './preempting.ts'
import { autoParts } from './strategies/auto.ts'
import { binpackParts } from './strategies/binpack.ts'
import { placeInOneDatacenter } from './strategies/datacenter.ts'
import { manualParts } from './strategies/manual.ts'
import { spreadParts } from './strategies/spread.ts'
import { summarise } from './summarise.ts'
import type { Explained, Plan, PlanRequest, Snapshot } from './types.ts'
import { createWorld } from './world.ts'

const SCORES: Readonly<Record<Exclude<Strategy, 'datacenter'>, ScoreNode>> = {
  auto: autoParts,
  spread: spreadParts,
  manual: manualParts,
  binpack: binpackParts
}

/**
 * Which node runs which copy, and why. The same snapshot, request and random numbers give the same plan, whatever the order of
 * the candidates; random numbers are drawn only between nodes that are equally good.
 * @param random as Math.random; seed it from what everybody knows, and everybody can recompute the plan
 */
export function plan(snapshot: Snapshot, request: PlanRequest, random: () => number): Plan {
  const made = planOnce(snapshot, request, random)
  return made.unplaced.length === 0 ? made : planPreempting(made, { snapshot, request, random, planOnce })
}

function planOnce(snapshot: Snapshot, request: PlanRequest, random: () => number): Plan {
  const { rules, perNode } = request
  const world = createWorld(snapshot, request)
  const placed = perNode
    ? placeOnEach(world, autoParts)
    : rules.strategy === 'datacenter'
      ? placeInOneDatacenter(world, random)
      : placeAll(world, SCORES[rules.strategy], random)
  const { assignments, unplaced, verdicts } = placed
  return {
    assignments,
    unplaced,
    explained: verdicts
      .map((one) => explain(one, placed))
      .sort((a, b) => (a.name === b.name ? (a.peerId < b.peerId ? -1 : 1) : a.name < b.name ? -1 : 1)),
    summary: summarise(placed, request)
  }
}

function explain({ state, refusal, parts }: Verdict, { assignments }: Placed): Explained {
  const { candidate, placed } = state
  const { peerId } = candidate
  const common = {
    peerId,
    name: safeText(candidate.name, 63),
    ordinals: [...placed],
    ...(parts.length === 0 ? {} : { score: totalOf(parts) }),
    parts
  }
  if (placed.length > 0) {
    const reason = assignments.findLast((one) => one.peerId === peerId)?.reason ?? ''
    return { ...common, verdict: 'taken', reason }
  }
  if (refusal !== undefined) return { ...common, verdict: 'refused', reason: safeText(refusal.one, 300) }
  return { ...common, verdict: 'fits', reason: 'fits; others scored higher, or nothing was left to place' }
}
