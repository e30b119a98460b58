/** So many nodes must be gone, and so many others there, before it is worth a word: smaller meshes change at once by themselves. Chosen. */
const MIN_NEIGHBOURS = 3

/**
 * Tells when everybody a node was connected to is gone and strangers are there instead: what somebody looks like from inside who is being cut
 * off from the others. A node that has merely lost its network is connected to nobody, and finds the same ones again.
 */
export class NeighbourWatch {
  #before: ReadonlySet<string> = new Set()

  /**
   * @param nodes connected to now that have said who they are
   * @param peers all that are connected, nodes or not
   * @returns whom it was connected to when all of them are gone and others are there; said once
   */
  look(nodes: ReadonlySet<string>, peers: ReadonlySet<string>): ReadonlySet<string> | undefined {
    const before = this.#before
    const kept = [...before].some((peerId) => peers.has(peerId))
    if (before.size < MIN_NEIGHBOURS || kept) {
      this.#before = new Set(nodes)
      return undefined
    }
    if (peers.size < MIN_NEIGHBOURS) return undefined
    this.#before = new Set(nodes)
    return before
  }
}
