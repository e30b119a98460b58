import type { Machine, Mesh } from '../node/machine.ts'
import type { Owner } from '../owner/owner.ts'
import type { VirtualClock } from '../time/clock.ts'
import { isToldOf } from './kept.ts'
import type { Copy } from './types.ts'

/** A copy that begins so long after its node could know better was begun in spite of it. Source: starts of up to 7.5 s, and some looks. */
const KNOWN_MS = 15_000

/** Nothing of what was deleted begins anew on a node that can ask somebody who knows. */
export class Deleted {
  readonly #clock: VirtualClock
  readonly #mesh: Mesh
  readonly #owner: Owner
  /** Since when a node knows of a deletion, or can reach one that does. */
  readonly #sinceMs = new Map<string, number>()
  #running = new Set<string>()

  constructor({ clock, mesh, owner }: { clock: VirtualClock; mesh: Mesh; owner: Owner }) {
    this.#clock = clock
    this.#mesh = mesh
    this.#owner = owner
  }

  /** @returns what began all the same since the last look */
  look(copies: readonly Copy[]): string[] {
    const { nowMs } = this.#clock
    const deletions = this.#learn()
    const found = copies.flatMap(({ id, version, machine, workloadId }) => {
      const sinceMs = this.#sinceMs.get(keyOf(id, machine)) ?? nowMs
      const isNew = !this.#running.has(`${machine.name} ${workloadId}`)
      return isNew && version < (deletions.get(id) ?? 0) && nowMs - sinceMs > KNOWN_MS
        ? [
            `${workloadId} begins on ${machine.name}, which could know for ${nowMs - sinceMs} ms that it is deleted`
          ]
        : []
    })
    this.#running = new Set(copies.map(({ machine, workloadId }) => `${machine.name} ${workloadId}`))
    return found
  }

  /** @returns versions of the tombstones that were acknowledged, by manifest */
  #learn(): Map<string, number> {
    const deletions = new Map<string, number>()
    const active = this.#mesh.active()
    const known = new Set<string>()
    for (const { id } of this.#owner.truth.manifests.values()) {
      const newest = this.#owner.truth.newest(id, { acknowledged: true })
      if (newest?.tombstone !== true) continue
      deletions.set(id, newest.version)
      const told = active.filter((machine) => isToldOf(machine, id, newest.version))
      for (const machine of active) {
        if (!told.some(({ at }) => this.#mesh.topology.connects(machine.at, at))) continue
        const key = keyOf(id, machine)
        known.add(key)
        if (!this.#sinceMs.has(key)) this.#sinceMs.set(key, this.#clock.nowMs)
      }
    }
    for (const key of this.#sinceMs.keys()) if (!known.has(key)) this.#sinceMs.delete(key)
    return deletions
  }
}

function keyOf(id: string, { name, daemon }: Machine): string {
  return `${id} ${name} ${daemon?.startedAtMs}`
}
