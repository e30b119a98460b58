import type { Mesh } from '../node/machine.ts'
import type { Owner } from '../owner/owner.ts'
import type { VirtualClock } from '../time/clock.ts'
import { isRecoverable, leastOf, newestKept } from './kept.ts'
import { show } from './show.ts'
import type { Copy } from './types.ts'

/** Chosen: the slowest of some thousand runs took 25 s, with starts of up to 7.5 s, a lease of 10 s and keepers that take turns. */
const CONVERGED_MS = 30_000
/** Where each node has one, the old one goes before the new one starts. Source: starts of up to 7.5 s. */
const REPLACING_MS = 8_000

export interface ConvergenceInit {
  readonly clock: VirtualClock
  readonly mesh: Mesh
  readonly owner: Owner
  readonly copies: () => readonly Copy[]
  /** Since when nothing goes wrong any more. */
  readonly calmMs: number
}

/**
 * How soon what runs is what is wanted, once nothing goes wrong any more: of workloads that go on until they are deleted, all of the newest
 * version, and whose owner changes nothing. Keepers leave an update to its owner for half a minute, which is another matter.
 */
export class Convergence {
  /** After calm, ms, when something was last seen that was not right. */
  lastMs = 0
  /** What was not right for too long, by name. */
  readonly late = new Map<string, string>()
  readonly #init: ConvergenceInit
  /** When copies of several versions were last seen. */
  readonly #updatedMs = new Map<string, number>()

  constructor(init: ConvergenceInit) {
    this.#init = init
  }

  look(): void {
    const { clock, owner, copies, calmMs } = this.#init
    const all = Map.groupBy(copies(), ({ id }) => id)
    for (const { id, name, kind, isOpen, versions } of owner.truth.manifests.values()) {
      const isLeftAlone =
        !isOpen && !owner.isBusy(name) && [...versions.values()].every(({ atMs }) => atMs < calmMs)
      const own = all.get(id) ?? []
      if (own.some(({ version }) => version !== own[0]!.version)) this.#updatedMs.set(id, clock.nowMs)
      if (!isLeftAlone || kind === 'Job' || kind === 'CronJob') continue
      if (clock.nowMs - (this.#updatedMs.get(id) ?? 0) < (kind === 'DaemonSet' ? REPLACING_MS : 1)) continue
      if (this.#isRight(id, own)) continue
      this.lastMs = clock.nowMs - calmMs
      if (this.lastMs > CONVERGED_MS)
        this.late.set(name, `${name} is not right ${this.lastMs / 1000} s after all was healed: ${show(own)}`)
    }
  }

  #isRight(id: string, own: readonly Copy[]): boolean {
    const { mesh, owner } = this.#init
    const version = newestKept(mesh, id)
    const signed = version === undefined ? undefined : owner.truth.manifests.get(id)?.versions.get(version)
    if (signed === undefined) return true // nobody who could do anything knows of it
    const distinct = new Set(own.map(({ ordinal }) => ordinal)).size
    if (signed.tombstone) return own.length === 0
    if (distinct < own.length || distinct > signed.most) return false
    return distinct >= leastOf(signed, mesh) || !isRecoverable(mesh, id, signed.version)
  }
}
