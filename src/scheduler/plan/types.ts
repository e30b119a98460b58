import type { PlacementRules } from '../../manifest/index.ts'

/** What a node has, or a copy needs. */
export interface Room {
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly storageBytes: number
  readonly pods: number
}

/**
 * A node as it says of itself in its bid. One that runs a copy belongs among the candidates even when it can take no other,
 * because copies are spread and kept apart by what is known here.
 */
export interface Candidate {
  readonly peerId: string
  readonly name: string
  /** As stated: its own and its taints. */
  readonly labels: Readonly<Record<string, string>>
  readonly engines: readonly string[]
  /** false when it is cordoned or takes no workloads. */
  readonly scheduling: boolean
  readonly free: Room
  readonly allocatable: Room
  /** Free besides, were copies of lower priority stopped; only taken when no other node fits. */
  readonly freeable?: Omit<Room, 'storageBytes'>
  /** 0 to 1 of a core per core. */
  readonly load: number
  readonly roundTripMs?: number
  /** 0 to 1; counts, in steps of a tenth, between nodes of the same score. */
  readonly reliability: number
  /** Ordinals of the copies of this manifest that it runs already. */
  readonly ordinals: readonly number[]
}

export interface Snapshot {
  readonly candidates: readonly Candidate[]
  /** Labels of the node that the request came through, for the datacenter part of `auto`. */
  readonly nearLabels?: Readonly<Record<string, string>>
}

export interface PlanRequest {
  readonly rules: PlacementRules
  /** Zero means not stated, and is not checked. */
  readonly perCopy: Omit<Room, 'pods'>
  /** The one that the manifest demands. */
  readonly engine?: string
  /** The copies to place now. With `perNode` they are not read: every copy is ordinal 0. */
  readonly ordinals: readonly number[]
  /** One on every matching node that runs none yet: a DaemonSet. */
  readonly perNode: boolean
  /** Nodes not to be taken by peer ID, with the reason, such as "failed 3 times in 5 min". */
  readonly avoid?: ReadonlyMap<string, string>
}

export interface ScorePart {
  readonly name: string
  readonly points: number
}

export interface Assignment {
  readonly ordinal: number
  readonly peerId: string
  readonly reason: string
}

export interface Explained {
  readonly peerId: string
  readonly name: string
  /** `fits`: it could have been taken, others scored higher. */
  readonly verdict: 'taken' | 'fits' | 'refused'
  /** Placed on it by this plan. */
  readonly ordinals: readonly number[]
  /** As it was when it was last taken, or last not taken; undefined for one that was never scored. */
  readonly score?: number
  readonly parts: readonly ScorePart[]
  readonly reason: string
}

export interface Plan {
  readonly assignments: readonly Assignment[]
  /** With `perNode` a 0 for each node that matches and cannot take its copy. */
  readonly unplaced: readonly number[]
  /** Every candidate, by name. */
  readonly explained: readonly Explained[]
  /** Why something is unplaced: how many nodes failed on what, and how close the nearest came. Empty when all is placed. */
  readonly summary: string
}

/** Why a node is not taken, in words that go on after "it" and after "3 of 7". */
export interface Refusal {
  readonly one: string
  readonly many: string
  /** What is missing, as text, and as a share of what is asked, to find who came closest. */
  readonly short?: { readonly text: string; readonly share: number }
}
