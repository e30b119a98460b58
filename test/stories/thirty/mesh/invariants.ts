import type { Links } from './links.ts'
import type { Machine } from './machine.ts'
import type { Owner, SignedManifest } from './owner.ts'
import type { Lateness } from './patience.ts'
import type { Copy } from './watched-engine.ts'

/** What of the past still may explain copies too many: a lease, a look, a start and a grace period, some times over. Source: test/simulation. */
const WINDOW_MS = 60_000
/** Nodes that have it when an apply is acknowledged. Source: ARCHITECTURE section 2, min(3, reachable). */
const DURABLE = 3

interface Sample {
  readonly atMs: number
  /** Parts of the mesh that do not reach each other. */
  readonly parts: number
  /** Machines that run a manifest and cannot be asked, by its ID. The one outside is none that can while the others' loop stands still. */
  readonly hidden: ReadonlyMap<string, number>
}

/** What must hold whatever happens: looked at with every change of any engine and any link, beside the mesh, as nobody in it can. */
export class Invariants {
  readonly broken: string[] = []
  /** Within the bound, but not as it is when nobody is slow: two keepers acted for one copy. */
  readonly noted: string[] = []
  readonly #machines: readonly Machine[]
  readonly #links: Links
  readonly #owner: Owner
  readonly #outside: Machine
  readonly #lateness: Lateness
  #samples: Sample[] = []
  readonly #startedAtMs = performance.now()

  constructor({
    machines,
    links,
    owner,
    outside,
    lateness
  }: {
    machines: readonly Machine[]
    links: Links
    owner: Owner
    outside: Machine
    lateness: Lateness
  }) {
    this.#outside = outside
    this.#lateness = lateness
    this.#machines = machines
    this.#links = links
    this.#owner = owner
  }

  copies(): Copy[] {
    return this.#machines.flatMap((machine) => machine.copies())
  }

  /** At every change. */
  check(): void {
    const copies = this.copies()
    this.#sample()
    for (const { manifestId, version, workloadId, machine } of copies) {
      const signed = this.#owner.manifests.get(manifestId)?.versions.get(version)
      if (signed === undefined || signed.tombstone)
        this.#break(`${workloadId} runs on ${machine} although the owner never signed version ${version}`)
    }
    for (const [id, own] of Map.groupBy(copies, ({ manifestId }) => manifestId)) {
      const signed = this.#owner.manifests.get(id)
      if (signed === undefined) continue
      const sides = this.#sides(id)
      const where = own.map(({ machine, ordinal }) => `${ordinal}@${machine}`).join(' ')
      const most = Math.max(...[...signed.versions.values()].map(({ replicas }) => replicas))
      // an update may have one more of each, which the owner allowed with it
      const versions = new Set(own.map(({ version }) => version)).size
      if (own.length > sides * most * versions)
        this.#break(`${signed.name}: ${own.length} copies with ${sides} sides and ${most} at most: ${where}`)
      for (const same of Map.groupBy(own, ({ version, ordinal }) => `${version} ${ordinal}`).values()) {
        if (same.length > sides)
          this.#note(`${signed.name}: one copy ran ${same.length} times with ${sides} sides: ${where}`)
        if (signed.isFenced && same.length > 1)
          this.#break(`${signed.name} is fenced and runs twice: ${where}`)
      }
    }
  }

  /** What is not yet as it is to be in the end; undefined: all is well. Every machine must be up. */
  async unsettled(): Promise<string | undefined> {
    const down = this.#machines.filter(({ state }) => state !== 'up')
    if (down.length > 0) return `${down.map(({ name, state }) => `${name} is ${state}`).join()}`
    const known = await Promise.all(
      this.#machines.map(async (machine) => ({ machine, ...(await machine.knows()) }))
    )
    for (const { machine, workloads } of known)
      for (const { workloadId } of machine.copies())
        if (!workloads.includes(workloadId))
          return `${workloadId} runs on ${machine.name}, which does not know of it`
    const copies = this.copies()
    for (const [id, signed] of this.#owner.manifests) {
      const own = copies.filter(({ manifestId }) => manifestId === id)
      const holders = (version: number) =>
        known.filter(({ versions }) => (versions[id] ?? 0) >= version).length
      const wrong = this.#isAsSigned(signed, own, holders)
      const said = () =>
        known.flatMap(({ machine, said }) => (said[id] ? [`${machine.name}${said[id]}`] : []))
      if (wrong !== undefined) return `${signed.name}: ${wrong}; known: ${said().join('; ')}`
    }
    return undefined
  }

  #isAsSigned(
    { versions, acknowledged }: SignedManifest,
    own: readonly Copy[],
    holders: (version: number) => number
  ): string | undefined {
    const where = `there are ${own.map(({ ordinal, machine, version }) => `${ordinal}@${machine}/${version % 100_000}`).join(' ') || 'none'}`
    if (versions.get(acknowledged)?.tombstone || (acknowledged === 0 && own.length === 0))
      return own.length === 0 ? undefined : `it is deleted, ${where}`
    const [version = 0, ...others] = new Set(own.map((copy) => newestLike(versions, copy.version)))
    if (version < acknowledged) return `version ${acknowledged % 100_000} was acknowledged, ${where}`
    const { replicas } = versions.get(version)!
    const ordinals = new Set(own.map(({ ordinal }) => ordinal))
    if (others.length > 0 || own.length !== replicas || ordinals.size !== replicas)
      return `${replicas} copies are wanted, ${where}`
    const kept = holders(version)
    return kept < DURABLE ? `only ${kept} nodes hold it` : undefined
  }

  #sample(): void {
    const atMs = performance.now()
    const live = this.#machines.filter(({ state }) => state === 'up')
    const hidden = new Map<string, number>()
    for (const machine of this.#machines)
      if (machine.state !== 'up' || (machine === this.#outside && this.#lateness.wasLate(WINDOW_MS)))
        for (const id of new Set(machine.copies().map(({ manifestId }) => manifestId)))
          hidden.set(id, (hidden.get(id) ?? 0) + 1)
    this.#samples.push({ atMs, hidden, parts: this.#parts(live) })
    this.#samples = this.#samples.filter((sample) => sample.atMs > atMs - WINDOW_MS)
  }

  /** As many as could each hold itself for the whole of the mesh, now or lately. */
  #sides(id: string): number {
    return Math.max(...this.#samples.map(({ parts, hidden }) => parts + (hidden.get(id) ?? 0)))
  }

  #parts(live: readonly Machine[]): number {
    const left = new Set(live.map(({ name }) => name))
    const reach = (a: string, b: string) => this.#links.isOpen(a, b) && this.#links.isOpen(b, a)
    let parts = 0
    let isWhole = true
    for (const first of left) {
      left.delete(first)
      parts++
      const reached = [first]
      for (let one = reached.pop(); one !== undefined; one = reached.pop())
        for (const other of [...left])
          if (reach(one, other)) {
            left.delete(other)
            reached.push(other)
          } else isWhole = false
    }
    // two who do not see each other, though a third sees both, may each act for the other for a while
    return Math.max(1, parts) + (parts === 1 && !isWhole ? 1 : 0)
  }

  #note(text: string): void {
    if (this.noted.length < 20 && !this.noted.some((one) => one.endsWith(text))) this.noted.push(text)
  }

  #break(text: string): void {
    if (this.broken.length >= 20 || this.broken.some((one) => one.endsWith(text))) return
    this.broken.push(`${((performance.now() - this.#startedAtMs) / 1000).toFixed(1)} s: ${text}`)
  }
}

/** Copies are labelled with the version that started them, and go on in a newer one that says the same of each. */
function newestLike(versions: SignedManifest['versions'], version: number): number {
  const { copy } = versions.get(version)!
  const same = [...versions].filter(([, one]) => one.copy === copy && !one.tombstone)
  return Math.max(...same.map(([newer]) => newer))
}
