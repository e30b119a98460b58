import type { Neighbour } from '../types.ts'

/** Who is there, as a keeper sees it at its looks. */
export class Around {
  /** Who lives, as one text to compare. */
  alive = ''
  /** Grows when there is a connection to a living member that there was none to before: who was asked meanwhile was not everybody. */
  meetings = 0
  #connected = new Set<string>()

  look(neighbours: readonly Neighbour[]): void {
    const live = neighbours.filter(({ state }) => state === 'alive')
    this.alive = live
      .map(({ peerId }) => peerId)
      .sort()
      .join()
    const connected = new Set(live.flatMap(({ peerId, connected }) => (connected === true ? [peerId] : [])))
    if ([...connected].some((peerId) => !this.#connected.has(peerId))) this.meetings++
    this.#connected = connected
  }
}
