import type { Machine, Mesh } from '../node/machine.ts'
import type { Owner } from '../owner/owner.ts'
import type { VirtualClock } from '../time/clock.ts'

/** A container of a manifest on a machine. */
export interface Copy {
  readonly machine: Machine
  readonly id: string
  readonly version: number
  /** Of a DaemonSet, whose copies all have the number 0, the place of its machine: each machine is to have one. */
  readonly ordinal: number
  readonly workloadId: string
}

export interface SettledInit {
  readonly clock: VirtualClock
  readonly mesh: Mesh
  readonly owner: Owner
  readonly copies: readonly Copy[]
  /** Since when nothing goes wrong any more. */
  readonly calmMs: number
  /** Of a scaled workload, by the label of its manifest: thousandths of a CPU that all copies use together. */
  readonly demandOf: (manifest: string) => number
}
