/** Counts copies by the value of a label, over the nodes that count. */
export class DomainCounts<Node> {
  private readonly counts = new Map<string, number>()
  private readonly domainOf: (node: Node) => string | undefined
  private extremes: { readonly least: number; readonly most: number } | undefined

  /** @param domainOf undefined for a node that does not count */
  constructor(nodes: readonly Node[], domainOf: (node: Node) => string | undefined) {
    this.domainOf = domainOf
    for (const node of nodes) this.add(node, 0)
  }

  add(node: Node, copies: number): void {
    const value = this.domainOf(node)
    if (value === undefined) return
    this.counts.set(value, (this.counts.get(value) ?? 0) + copies)
    this.extremes = undefined
  }

  /** Copies that share the node's value; undefined where it has none. */
  of(node: Node): number | undefined {
    const value = this.domainOf(node)
    return value === undefined ? undefined : this.counts.get(value)
  }

  /** Fewest and most copies of any value; zeros when there is none. */
  range(): { readonly least: number; readonly most: number } {
    if (this.extremes !== undefined) return this.extremes
    let least = Number.POSITIVE_INFINITY
    let most = 0
    for (const count of this.counts.values()) {
      least = Math.min(least, count)
      most = Math.max(most, count)
    }
    this.extremes = { least: Number.isFinite(least) ? least : 0, most }
    return this.extremes
  }
}
