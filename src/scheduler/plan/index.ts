/**
 * Which node runs which copy: a pure function of what the nodes said in their bids, what the manifest wants, and random numbers,
 * with the reason for every node taken and refused.
 *
 * It stands apart because whoever places copies (an owner's client, a keeper that replaces what is lost) must come to the same
 * result, and because anybody should be able to check it from the signed bids. It asks nobody, waits for nothing and starts
 * nothing.
 *
 * Constraints first (constraints/), then the score of the strategy (strategies/), then one copy after the other on the best
 * node of that moment (greedy.ts). Points stand in constants.ts. How many copies there should be by what they use is in
 * autoscale.ts.
 *
 * @example
 * ```ts
 * const { rules, perCopy } = { rules: manifest.placement, perCopy: manifest.resources }
 * const made = plan({ candidates }, { rules, perCopy, ordinals: [0, 1, 2], perNode: false }, random)
 * console.log(formatPlan(made))
 * ```
 */
export {
  type AutoscaleHistory,
  type AutoscaleInput,
  type AutoscaleResult,
  type CopyUse,
  CPU_INITIALISATION_MS,
  desiredReplicas,
  EMPTY_HISTORY,
  INITIAL_READINESS_MS,
  type ScaleEvent,
  TOLERANCE
} from './autoscale.ts'
export { formatPlan } from './format-plan.ts'
export { plan } from './plan.ts'
export { seededRandom } from './seeded-random.ts'
export type {
  Assignment,
  Candidate,
  Explained,
  Plan,
  PlanRequest,
  Room,
  ScorePart,
  Snapshot
} from './types.ts'
