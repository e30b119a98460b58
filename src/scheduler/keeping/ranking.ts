import { toHex } from '../../common/index.ts'
import type { Neighbour, World } from '../types.ts'
import { rank } from './rank.ts'

/** Manifests whose order is remembered; forgotten together when there are more. Chosen: above what a node keeps. */
const MAX_REMEMBERED = 20_000

/** Who is nearest to each manifest, computed once for each set of live members: a node looks at all it keeps every 2 s. */
export class Ranking {
  readonly #world: Pick<World, 'neighbours'>
  /** Of the array it was computed from. */
  #from: readonly Neighbour[] | undefined
  #live = new Map<string, Neighbour>()
  #signature = ''
  readonly #orders = new Map<string, readonly string[]>()

  constructor(world: Pick<World, 'neighbours'>) {
    this.#world = world
  }

  /** Members that are thought to live, nearest to the manifest first. */
  of(manifestId: Uint8Array): Neighbour[] {
    this.#refresh()
    const key = toHex(manifestId)
    const known = this.#orders.get(key)
    if (known !== undefined) return known.map((peerId) => this.#live.get(peerId)!)
    const ranked = rank(manifestId, [...this.#live.values()])
    if (this.#orders.size >= MAX_REMEMBERED) this.#orders.clear()
    this.#orders.set(
      key,
      ranked.map(({ peerId }) => peerId)
    )
    return ranked
  }

  #refresh(): void {
    const all = this.#world.neighbours()
    if (all === this.#from) return
    this.#from = all
    const live = all.filter(({ state }) => state === 'alive' || state === 'suspect')
    this.#live = new Map(live.map((one) => [one.peerId, one]))
    const signature = [...this.#live.keys()].sort().join()
    if (signature !== this.#signature) this.#orders.clear()
    this.#signature = signature
  }
}
