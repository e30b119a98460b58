import { toHex } from '../common/index.ts'
import { type Collection, jsonCodec, type Store } from '../store/index.ts'
import type { Release, StoredManifest, StoredWorkload } from './types.ts'

/** What this node holds: in memory for reading, on disk before anybody is told. */
export class ManifestTable {
  readonly #stored: Collection<StoredManifest>
  readonly #manifests = new Map<string, StoredManifest>()
  /** Engines that ever ran something for this node: where something of it may be left. */
  readonly #engines = new Set<string>()
  readonly #storedEngines: Collection<boolean>
  #tail: Promise<void> = Promise.resolve()

  constructor(store: Store) {
    this.#stored = store.collection('manifests', jsonCodec())
    this.#storedEngines = store.collection('engines', jsonCodec())
  }

  /** Reads everything back, but tombstones whose time is over. */
  async open(nowMs: number): Promise<void> {
    for await (const [name] of this.#storedEngines.entries()) this.#engines.add(name)
    for await (const [key, manifest] of this.#stored.entries()) this.#manifests.set(key, manifest)
    await this.sweep(nowMs)
  }

  /** Forgets tombstones whose time is over. */
  async sweep(nowMs: number): Promise<void> {
    for (const { manifestId, tombstone, workloads, notAfterMs } of this.all())
      if (tombstone && workloads.length === 0 && notAfterMs < nowMs) await this.delete(manifestId)
  }

  engines(): readonly string[] {
    return [...this.#engines]
  }

  /** Before the first workload is started on an engine. Durable when it resolves. */
  async noteEngine(name: string): Promise<void> {
    if (this.#engines.has(name)) return
    await this.#storedEngines.put(name, true)
    this.#engines.add(name)
  }

  get(manifestId: Uint8Array): StoredManifest | undefined {
    return this.#manifests.get(toHex(manifestId))
  }

  all(): StoredManifest[] {
    return [...this.#manifests.values()]
  }

  /** Those that are to run. */
  live(): StoredManifest[] {
    return this.all().filter(({ tombstone }) => !tombstone)
  }

  /** Durable when it resolves. */
  async put(manifest: StoredManifest): Promise<void> {
    const key = toHex(manifest.manifestId)
    const before = this.#manifests.get(key)
    // at once and in order: two copies that change at the same moment must not write over each other
    this.#manifests.set(key, manifest)
    try {
      await this.#write(() => this.#stored.put(key, manifest))
    } catch (error) {
      // because what is not on disk was not accepted, and whoever brings it again must not hear that it is here already
      if (isNews(before, manifest) && this.#manifests.get(key) === manifest) this.#restore(key, before)
      throw error
    }
  }

  #restore(key: string, before: StoredManifest | undefined): void {
    if (before === undefined) this.#manifests.delete(key)
    else this.#manifests.set(key, before)
  }

  #write(act: () => Promise<void>): Promise<void> {
    const written = this.#tail.then(act)
    this.#tail = written.catch(() => {}) // because whoever asked for that write hears of its failure
    return written
  }

  /** Changes one copy; nothing happens when the manifest or the copy is gone meanwhile. Durable when it resolves. */
  putWorkload(manifestId: Uint8Array, workload: StoredWorkload): Promise<void> {
    return this.replaceWorkload(manifestId, workload.workloadId, workload)
  }

  /** The same for a copy that got another name. */
  async replaceWorkload(manifestId: Uint8Array, before: string, workload: StoredWorkload): Promise<void> {
    const manifest = this.get(manifestId)
    if (manifest === undefined) return
    if (!allCopies(manifest).some(({ workloadId }) => workloadId === before)) return
    const replaced = (release: Release) =>
      release.workloads.map((one) => (one.workloadId === before ? workload : one))
    const next = manifest.next && { ...manifest.next, workloads: replaced(manifest.next) }
    await this.put({ ...manifest, workloads: replaced(manifest), next })
  }

  async delete(manifestId: Uint8Array): Promise<void> {
    this.#manifests.delete(toHex(manifestId))
    await this.#write(() => this.#stored.delete(toHex(manifestId)))
  }

  takenPorts(): Set<number> {
    return new Set(
      this.all().flatMap((manifest) =>
        allCopies(manifest).flatMap(({ ports }) => ports.map((p) => p.hostPort))
      )
    )
  }
}

/** Whether it brings a version or copies that were not there before; all else is what became of those that were. */
function isNews(before: StoredManifest | undefined, after: StoredManifest): boolean {
  if (before?.highest.version !== after.highest.version) return true
  const known = new Set(copiesOf(before))
  return copiesOf(after).some((one) => !known.has(one))
}

/** Those that run, by the names of their pods, and those whose slots start here. */
function copiesOf(manifest: StoredManifest): string[] {
  const copies = allCopies(manifest).map(({ workloadId }) => workloadId)
  return [...copies, ...(manifest.slotOrdinals ?? []).map((one) => `${one} slots`)]
}

/** Copies of what runs and of what is about to take its place. */
export function allCopies(manifest: StoredManifest): StoredWorkload[] {
  return [...manifest.workloads, ...(manifest.next?.workloads ?? [])]
}
