import { timeoutSignal } from '../../common/index.ts'
import type { ProviderSource } from '../../generated/fbs/index.ts'
import {
  DHT_TIMEOUT_MS,
  FIND_TIMEOUT_MS,
  HEAD_START_MS,
  MAX_ASKED_AT_ONCE,
  MAX_ASKED_PEERS,
  MAX_KNOWN_PROVIDERS,
  MAX_PROVIDERS,
  NEAREST_FIRST
} from '../constants.ts'
import { ProvidersError } from '../errors.ts'
import type { ProviderView } from '../types.ts'

/** What a search needs of the world; handed in, so that the order of the search can be tested alone. */
export interface FindSources {
  readonly self: string
  readonly local: () => ProviderView[]
  /** Whom to ask first. */
  readonly cached: () => ProviderView[]
  /** Those of the cache that count as running without being asked. */
  readonly leased: () => ProviderView[]
  /** An asked node says that it does not run it. */
  readonly deny: (peerId: string) => void
  /** Nearest to the manifest in the DHT's metric first. */
  readonly connected: () => string[]
  /** Whom this node's own part of the DHT names, without asking anybody. */
  readonly hinted: () => Promise<string[]>
  /** Asks one node what it runs and what it has heard. Rejects when it does not answer. */
  readonly ask: (peerId: string, source: ProviderSource, signal: AbortSignal) => Promise<Heard>
  readonly dht: (signal: AbortSignal) => AsyncIterable<string>
  /** Everybody was asked, somebody answered, and the search was not cut short. */
  readonly onComplete: () => void
  /** The search is over, or was cut short. @param unheard how many were to be asked and gave no answer */
  readonly onOver: (unheard: number) => void
}

/** What an asked node said. */
export interface Heard {
  /** Of itself and of others, checked. */
  readonly views: readonly ProviderView[]
  /** Peer IDs it knows from the DHT to run it, or to have run it. */
  readonly hints: readonly string[]
}

export interface SearchOptions {
  readonly signal?: AbortSignal
  /** Ask also those whose lease would do. */
  readonly fresh?: boolean
  /** Whom to ask beside those of the cache. */
  readonly likely?: readonly string[]
}

/**
 * The order of a search: this node, then what a lease still vouches for, then whoever is remembered or named by own DHT records, then the
 * connected, those first that hold the DHT's records if anybody does, then, only if that found nobody, a walk through the DHT; when nobody
 * can be asked at all, what was known before, marked stale. A provider counts when it says so itself; hearsay names whom to ask.
 */
export async function* findEach(
  sources: FindSources,
  options: SearchOptions = {}
): AsyncGenerator<ProviderView> {
  const deadline = timeoutSignal(FIND_TIMEOUT_MS)
  const stop = new AbortController()
  const given = options.signal === undefined ? [] : [options.signal]
  const signal = AbortSignal.any([deadline, stop.signal, ...given])
  const search = new Search(sources, signal)
  try {
    let count = 0
    for (const view of sources.local()) {
      count++
      yield view
    }
    const remembered = sources.cached()
    for (const view of options.fresh ? [] : sources.leased()) {
      search.known(view.peerId)
      count++
      yield view
    }
    for (const { peerId } of remembered) search.ask(peerId, 'cache')
    for (const peerId of options.likely ?? []) search.ask(peerId, 'peer')
    for (const peerId of await sources.hinted().catch(() => [])) search.askNamed(peerId, 'dht')
    const connected = sources.connected().slice(0, MAX_ASKED_PEERS)
    // because these mostly know, and everybody else need not be bothered when the caller has enough
    for (const atOnce of [0, ...NEAREST_FIRST]) {
      for (const peerId of connected.splice(0, atOnce)) search.ask(peerId, 'peer')
      for await (const view of search.results(HEAD_START_MS)) {
        count++
        yield view
      }
    }
    for (const peerId of connected) search.ask(peerId, 'peer')
    for await (const view of search.results()) {
      count++
      yield view
    }
    if (count === 0) {
      await search.walk()
      for await (const view of search.results()) {
        count++
        yield view
      }
    }
    if (!signal.aborted && search.isAnswered) sources.onComplete()
    if (count > 0) return
    for (const view of remembered) if (search.isUnheard(view.peerId)) yield { ...view, source: 'stale' }
  } finally {
    stop.abort()
    sources.onOver(search.unheard)
  }
}

/** Questions under way and the confirmed answers that came. */
class Search {
  readonly #sources: FindSources
  readonly #signal: AbortSignal
  readonly #asked: Set<string>
  readonly #answered = new Set<string>()
  readonly #gone = new Set<string>()
  readonly #found: ProviderView[] = []
  readonly #waiting: { readonly peerId: string; readonly source: ProviderSource }[] = []
  /** To be asked, or being asked. */
  #open = 0
  #atOnce = 0
  #named = 0
  #wake = Promise.withResolvers<void>()

  constructor(sources: FindSources, signal: AbortSignal) {
    this.#sources = sources
    this.#signal = signal
    this.#asked = new Set([sources.self])
  }

  /** Needs no asking. */
  known(peerId: string): void {
    this.#asked.add(peerId)
    this.#answered.add(peerId)
  }

  /** Whether anybody told anything: that nobody was there is no answer, and somebody may be a moment later. */
  get isAnswered(): boolean {
    return this.#answered.size > 0
  }

  /** Was not reached, or not asked. */
  isUnheard(peerId: string): boolean {
    return !this.#answered.has(peerId)
  }

  /** How many gave no answer, or none yet; those that are known to be gone have none to give. */
  get unheard(): number {
    return this.#asked.size - 1 - this.#answered.size - this.#gone.size
  }

  ask(peerId: string, source: ProviderSource): void {
    if (this.#asked.has(peerId) || this.#asked.size > MAX_KNOWN_PROVIDERS + MAX_ASKED_PEERS) return
    this.#asked.add(peerId)
    this.#open++
    this.#waiting.push({ peerId, source })
    this.#askNext()
  }

  /** Others name it: they may name anybody, so few are believed in one search. */
  askNamed(peerId: string, source: ProviderSource): void {
    if (this.#asked.has(peerId) || this.#named >= MAX_PROVIDERS) return
    this.#named++
    this.ask(peerId, source)
  }

  #askNext(): void {
    if (this.#atOnce >= MAX_ASKED_AT_ONCE) return
    const next = this.#waiting.shift()
    if (next === undefined) return
    this.#atOnce++
    void this.#askOne(next.peerId, next.source).finally(() => {
      this.#open--
      this.#atOnce--
      this.#askNext()
      this.#wake.resolve()
    })
  }

  async #askOne(peerId: string, source: ProviderSource): Promise<void> {
    try {
      const { views, hints } = await this.#sources.ask(peerId, source, this.#signal)
      this.#answered.add(peerId)
      const own = views.find((view) => view.peerId === peerId)
      if (own === undefined) this.#sources.deny(peerId)
      else this.#found.push(own)
      for (const other of views) if (other.peerId !== peerId) this.askNamed(other.peerId, 'peer')
      for (const hint of hints) this.askNamed(hint, 'dht')
    } catch (error) {
      // because a provider that cannot be asked cannot be confirmed, and has not taken it back either
      if (error instanceof ProvidersError && error.code === 'PROVIDER_GONE') this.#gone.add(peerId)
    }
  }

  /** Until all that were asked have answered, or for so long. */
  async *results(atMostMs?: number): AsyncGenerator<ProviderView> {
    let late = false
    const timer =
      atMostMs === undefined || this.#open === 0
        ? undefined
        : setTimeout(() => {
            late = true
            this.#wake.resolve()
          }, atMostMs)
    try {
      for (;;) {
        while (this.#found.length > 0) yield this.#found.shift()!
        if (this.#open === 0 || this.#signal.aborted || late) return
        await this.#wake.promise
        this.#wake = Promise.withResolvers<void>()
      }
    } finally {
      clearTimeout(timer)
    }
  }

  async walk(): Promise<void> {
    try {
      const signal = AbortSignal.any([this.#signal, timeoutSignal(DHT_TIMEOUT_MS)])
      for await (const peerId of this.#sources.dht(signal)) this.askNamed(peerId, 'dht')
    } catch {
      // because the DHT may be out of reach: what was found so far is the answer
    }
  }
}
