import type { PlacementRules } from '../../../src/manifest/index.ts'
import { type Candidate, type Plan, type PlanRequest, plan } from '../../../src/scheduler/plan/index.ts'

export const GiB = 2 ** 30
export const MiB = 2 ** 20
export const ROOM = { cpuMillis: 4000, memoryBytes: 8 * GiB, storageBytes: 100 * GiB, pods: 110 }

export const RULES: PlacementRules = {
  strategy: 'auto',
  nodes: [],
  nodeSelector: {},
  requiredTerms: [],
  preferredTerms: [],
  apart: [],
  tolerations: [],
  spread: [],
  priority: 0
}

/** An empty node with 4 cores and 8 GiB. */
export function node(name: string, fields: Partial<Candidate> = {}): Candidate {
  return {
    peerId: `peer-${name}`,
    name,
    labels: {},
    engines: ['podman'],
    scheduling: true,
    free: ROOM,
    allocatable: ROOM,
    load: 0,
    reliability: 1,
    ordinals: [],
    ...fields
  }
}

/** Three copies of half a core and 512 MiB. */
export function request(rules: Partial<PlacementRules> = {}, fields: Partial<PlanRequest> = {}): PlanRequest {
  return {
    rules: { ...RULES, ...rules },
    perCopy: { cpuMillis: 500, memoryBytes: 512 * MiB, storageBytes: 0 },
    ordinals: [0, 1, 2],
    perNode: false,
    ...fields
  }
}

/** A sequence of numbers from 0 to below 1 that is always the same (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function planFor(candidates: readonly Candidate[], of: PlanRequest, seed = 1): Plan {
  return plan({ candidates }, of, seeded(seed))
}

/** Names of the nodes by ordinal: `{ 0: 'a', 1: 'b' }`. */
export function nodesOf({ assignments }: Plan): Record<number, string> {
  return Object.fromEntries(assignments.map(({ ordinal, peerId }) => [ordinal, peerId.replace('peer-', '')]))
}

/** Names of the nodes taken, sorted, one for each copy. */
export function taken(plan: Plan): string[] {
  return plan.assignments.map(({ peerId }) => peerId.replace('peer-', '')).sort()
}

/** What is said of a node. */
export function said(plan: Plan, name: string): string {
  return plan.explained.find((one) => one.name === name)?.reason ?? ''
}
