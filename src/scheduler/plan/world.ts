import { safeText } from '../../common/index.ts'
import {
  nodeLabelsOf,
  type PlacementRules,
  REGION_LABEL,
  type Taint,
  taintsOf,
  ZONE_LABEL
} from '../../manifest/index.ts'
import { MAX_TAINT_POINTS, PREFERRED_POINTS, TAINT_POINTS } from './constants.ts'
import { fixedRefusal, mayEverRun } from './constraints/constraints.ts'
import { describeTaint, matchesTerm, tolerates } from './constraints/match.ts'
import { DomainCounts } from './domain-counts.ts'
import type { Candidate, PlanRequest, Refusal, Room, ScorePart, Snapshot } from './types.ts'

/** A candidate while copies are being placed. */
export interface NodeState {
  readonly candidate: Candidate
  /** With those that every node has. */
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  /** Why it can take nothing, whatever is placed where. */
  readonly refusal: Refusal | undefined
  /** Score parts that stay the same. */
  readonly wishes: readonly ScorePart[]
  /** Zone with its region, else region, else empty. */
  readonly datacenter: string
  free: Room
  /** Of this manifest, with those placed now. */
  copies: number
  readonly placed: number[]
}

/** Everything a strategy may look at; {@link placeOn} is the only thing that changes it. */
export interface World {
  readonly states: readonly NodeState[]
  readonly request: PlanRequest
  readonly near: Readonly<Record<string, string>> | undefined
  /** Of those that have a node which may run it. */
  readonly datacenters: DomainCounts<NodeState>
  readonly apart: readonly (PlacementRules['apart'][number] & { readonly counts: DomainCounts<NodeState> })[]
  readonly spread: readonly (PlacementRules['spread'][number] & {
    readonly counts: DomainCounts<NodeState>
  })[]
}

/** The candidates with all that can be worked out before anything is placed. */
export function createWorld(snapshot: Snapshot, request: PlanRequest): World {
  const { rules } = request
  const names = new Map<string, number>()
  for (const { name } of snapshot.candidates) names.set(name, (names.get(name) ?? 0) + 1)
  // because the result must not depend on who answered first
  const candidates = [...snapshot.candidates].sort((a, b) => (a.peerId < b.peerId ? -1 : 1))
  const states = candidates.map((candidate): NodeState => {
    const labels = nodeLabelsOf(candidate)
    const taints = taintsOf(candidate.labels)
    return {
      candidate,
      labels,
      taints,
      refusal: fixedRefusal({ candidate, labels, taints }, request, (names.get(candidate.name) ?? 0) > 1),
      wishes: wishesOf(candidate.name, labels, taints, rules),
      datacenter: [labels[REGION_LABEL], labels[ZONE_LABEL]].filter((one) => one !== undefined).join('/'),
      free: candidate.free,
      copies: candidate.ordinals.length,
      placed: []
    }
  })
  const near = snapshot.nearLabels
  return {
    request,
    states,
    near: near === undefined ? undefined : nodeLabelsOf({ name: '', labels: near, engines: [] }),
    ...countersOf(states, rules)
  }
}

/** The same before anything was placed. */
export function resetWorld(world: World): World {
  const states = world.states.map(
    (state): NodeState => ({
      ...state,
      free: state.candidate.free,
      copies: state.candidate.ordinals.length,
      placed: []
    })
  )
  return { ...world, states, ...countersOf(states, world.request.rules) }
}

function countersOf(
  states: readonly NodeState[],
  rules: PlacementRules
): Pick<World, 'apart' | 'spread' | 'datacenters'> {
  const counted = (domainOf: (state: NodeState) => string | undefined) => {
    const counts = new DomainCounts(states, domainOf)
    for (const state of states) counts.add(state, state.copies)
    return counts
  }
  const usable = new Set(states.flatMap((one) => (one.refusal === undefined ? [one.datacenter] : [])))
  const labelOf = ({ labels }: NodeState, key: string) =>
    Object.hasOwn(labels, key) ? labels[key] : undefined
  return {
    datacenters: counted(({ datacenter }) => (usable.has(datacenter) ? datacenter : undefined)),
    apart: rules.apart.map((one) => ({
      ...one,
      counts: counted((state) => labelOf(state, one.topologyKey))
    })),
    // as Kubernetes: nodes that selectors rule out do not count, tainted and cordoned ones do
    spread: rules.spread.map((one) => ({
      ...one,
      counts: counted((state) => (mayEverRun(state, rules) ? labelOf(state, one.topologyKey) : undefined))
    }))
  }
}

/** Preferred terms and PreferNoSchedule taints. */
function wishesOf(
  name: string,
  labels: NodeState['labels'],
  taints: readonly Taint[],
  { preferredTerms, tolerations }: PlacementRules
): ScorePart[] {
  const sum = (terms: PlacementRules['preferredTerms']) => terms.reduce((total, one) => total + one.weight, 0)
  const met = preferredTerms.filter(({ term }) => matchesTerm({ name, labels }, term))
  const kept = taints.filter((one) => one.effect === 'PreferNoSchedule' && !tolerates(tolerations, one))
  return [
    ...(preferredTerms.length === 0
      ? []
      : [{ name: 'preferred', points: Math.round((PREFERRED_POINTS * sum(met)) / sum(preferredTerms)) }]),
    ...(kept.length === 0
      ? []
      : [
          {
            name: safeText(`taint ${kept.map(describeTaint).join(' ')}`, 100),
            points: Math.max(MAX_TAINT_POINTS, TAINT_POINTS * kept.length)
          }
        ])
  ]
}

/** Takes the room of one copy from a node. */
export function placeOn(world: World, state: NodeState, ordinal: number): void {
  const { cpuMillis, memoryBytes, storageBytes } = world.request.perCopy
  const { free } = state
  state.free = {
    cpuMillis: free.cpuMillis - cpuMillis,
    memoryBytes: free.memoryBytes - memoryBytes,
    storageBytes: free.storageBytes - storageBytes,
    pods: free.pods - 1
  }
  state.copies += 1
  state.placed.push(ordinal)
  for (const { counts } of [...world.apart, ...world.spread]) counts.add(state, 1)
  world.datacenters.add(state, 1)
}
