import { equalBytes } from '../../common/index.ts'
import {
  CACHE_MAX_MANIFESTS,
  CACHE_TTL_MS,
  COMPLETE_MS,
  MAX_KNOWN_PROVIDERS,
  NEGATIVE_MS
} from '../constants.ts'
import { MAX_STATED_WORKLOADS } from '../provider-statement.ts'
import type { ProviderView } from '../types.ts'

interface Entry {
  readonly view: ProviderView
  /** By this node's clock: until the lease in the statement, or longer when the provider renewed it. */
  leaseUntilMs: number
  /** Until then it is remembered whom to ask. */
  readonly untilMs: number
}

interface Known {
  readonly providers: Map<string, Entry>
  /** When each that ran it said that it does not any more, by its clock, and in which run: an older statement does not bring it back. */
  readonly denied: Map<string, { readonly atMs: number; readonly bootId: Uint8Array | undefined }>
  /** Until then a search that asked everybody need not be repeated, also when it found nobody. */
  completeUntilMs: number
  /** Of the last search: how many were to be asked and gave no answer. */
  unheard: number
}

/** Who was seen to run what: where to ask first, what may be answered without asking, and who took it back. Bounded. */
export class ProviderCache {
  readonly #now: () => number
  readonly #manifests = new Map<string, Known>()

  constructor(now: () => number) {
    this.#now = now
  }

  has(key: string): boolean {
    return this.#manifests.has(key)
  }

  /**
   * @param leaseUntilMs until when it counts as running, by this node's clock; 0 for hearsay, which only says whom to ask
   * @param isAnswer the provider itself says so now, because it was asked: after a restart its clock may be behind what it said before
   * @returns false when it says nothing new
   */
  put(key: string, view: ProviderView, leaseUntilMs: number, { isAnswer = false } = {}): boolean {
    const known = this.#open(key)
    const before = known.providers.get(view.peerId)
    const denial = known.denied.get(view.peerId)
    const isOtherRun = (bootId: Uint8Array | undefined) =>
      isAnswer && bootId !== undefined && !equalBytes(bootId, view.bootId)
    if (before !== undefined && before.view.issuedAtMs > view.issuedAtMs && !isOtherRun(before.view.bootId))
      return false
    if (denial !== undefined && denial.atMs >= view.issuedAtMs && !isOtherRun(denial.bootId)) return false
    known.denied.delete(view.peerId)
    known.providers.delete(view.peerId)
    known.providers.set(view.peerId, {
      view: { ...view, source: 'cache' },
      leaseUntilMs: Math.max(leaseUntilMs, before?.leaseUntilMs ?? 0),
      untilMs: this.#now() + CACHE_TTL_MS
    })
    if (known.providers.size > MAX_KNOWN_PROVIDERS)
      known.providers.delete(known.providers.keys().next().value!)
    return true
  }

  /** The provider itself says that it still runs it. False when this node does not know that. */
  renew(
    key: string,
    peerId: string,
    { version, running, leaseMs }: { version: number; running: number; leaseMs: number }
  ): boolean {
    const entry = this.#manifests.get(key)?.providers.get(peerId)
    if (entry === undefined || entry.view.version !== version) return false
    if (Math.max(1, entry.view.workloads.length) !== Math.min(running, MAX_STATED_WORKLOADS)) return false
    entry.leaseUntilMs = this.#now() + leaseMs
    return true
  }

  /** The provider itself says that it does not run it. @param said by its clock, and in which run; without: since whatever it said last */
  deny(key: string, peerId: string, said?: { readonly atMs: number; readonly bootId?: Uint8Array }): void {
    const known = this.#manifests.get(key)
    if (known === undefined) return
    const entry = known.providers.get(peerId)
    const saidAtMs = said?.atMs ?? entry?.view.issuedAtMs
    const bootId = said === undefined ? entry?.view.bootId : said.bootId
    if (saidAtMs === undefined || (entry?.view.issuedAtMs ?? 0) > saidAtMs) return
    known.providers.delete(peerId)
    known.denied.set(peerId, { atMs: saidAtMs, bootId })
    if (known.denied.size > MAX_KNOWN_PROVIDERS) known.denied.delete(known.denied.keys().next().value!)
  }

  /** Nothing that this node said counts as running any more until it says so again; who it was stays known. */
  expire(peerId: string): void {
    for (const { providers } of this.#manifests.values()) {
      const entry = providers.get(peerId)
      if (entry !== undefined) entry.leaseUntilMs = 0
    }
  }

  /** Everybody was asked. */
  markComplete(key: string): void {
    const known = this.#open(key)
    known.completeUntilMs = this.#now() + (known.providers.size > 0 ? COMPLETE_MS : NEGATIVE_MS)
  }

  /** Something happened: whoever was asked before may answer otherwise now. */
  markIncomplete(key: string): void {
    const known = this.#manifests.get(key)
    if (known !== undefined) known.completeUntilMs = 0
  }

  /** Somebody can be asked again who could not: no search so far has asked everybody. */
  markAllIncomplete(): void {
    for (const known of this.#manifests.values()) known.completeUntilMs = 0
  }

  noteUnheard(key: string, count: number): void {
    this.#open(key).unheard = count
  }

  unheard(key: string): number {
    return this.#manifests.get(key)?.unheard ?? 0
  }

  /** The whole answer without asking anybody; undefined when somebody must be asked. */
  complete(key: string): ProviderView[] | undefined {
    const known = this.#manifests.get(key)
    const nowMs = this.#now()
    if (known === undefined || known.completeUntilMs <= nowMs) return undefined
    const views: ProviderView[] = []
    for (const { view, leaseUntilMs } of known.providers.values()) {
      if (leaseUntilMs <= nowMs) return undefined
      views.push(view)
    }
    return views
  }

  /** Whom to ask. */
  get(key: string): ProviderView[] {
    const nowMs = this.#now()
    return [...(this.#manifests.get(key)?.providers.values() ?? [])]
      .filter(({ untilMs }) => untilMs > nowMs)
      .map(({ view }) => view)
  }

  /** Those that count as running without being asked. */
  leased(key: string): ProviderView[] {
    const nowMs = this.#now()
    return [...(this.#manifests.get(key)?.providers.values() ?? [])]
      .filter(({ leaseUntilMs }) => leaseUntilMs > nowMs)
      .map(({ view }) => view)
  }

  #open(key: string): Known {
    const known = this.#manifests.get(key) ?? {
      providers: new Map(),
      denied: new Map(),
      completeUntilMs: 0,
      unheard: 0
    }
    this.#manifests.delete(key)
    this.#manifests.set(key, known)
    if (this.#manifests.size > CACHE_MAX_MANIFESTS)
      this.#manifests.delete(this.#manifests.keys().next().value!)
    return known
  }
}
