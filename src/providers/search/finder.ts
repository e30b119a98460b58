import type { ConnectionManager } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { toHex } from '../../common/index.ts'
import type { Penalties } from '../../wire/index.ts'
import { MAX_KNOWN_PROVIDERS, MAX_PROVIDERS } from '../constants.ts'
import { ProvidersError } from '../errors.ts'
import type { FindOptions, ProviderView } from '../types.ts'
import type { Asking } from './asking.ts'
import { findEach, type SearchOptions } from './find.ts'
import { nearestFirst } from './nearest.ts'
import type { ProviderCache } from './provider-cache.ts'
import { best, matches, type Surroundings } from './select.ts'
import { SharedSearches } from './shared-search.ts'

export interface FinderInit {
  readonly self: string
  /** Of this node. */
  readonly labels: Readonly<Record<string, string>>
  readonly cache: ProviderCache
  readonly penalties: Penalties
  readonly asking: Asking
  readonly connectionManager: ConnectionManager
  readonly isGone?: ((peerId: string) => boolean) | undefined
  /** What this node says of itself. */
  readonly own: { views(manifestId: Uint8Array): ProviderView[] }
}

/** Answers "who runs this?": from the cache while it is the whole answer, else by a search that all who ask share. */
export class Finder {
  readonly #init: FinderInit
  readonly #searches = new SharedSearches()
  /** Questions under way, by whom they are put to: bounded by what a search asks. */
  readonly #asked = new Map<string, Set<AbortController>>()

  constructor(init: FinderInit) {
    this.#init = init
  }

  /** A node is gone: nobody waits any longer for its answer, which a dial to a machine without power would take seconds to miss. */
  lose(peerId: string): void {
    if (this.#init.isGone?.(peerId) === false) return // only its connection is
    for (const asked of this.#asked.get(peerId) ?? [])
      asked.abort(new ProvidersError('PROVIDER_GONE', `${peerId} is gone`))
  }

  async find(manifestId: Uint8Array, options: FindOptions = {}): Promise<ProviderView[]> {
    const known = options.fresh ? undefined : this.#init.cache.complete(toHex(manifestId))
    const found: ProviderView[] = []
    if (known !== undefined) {
      for (const view of known) if (matches(view, options)) found.push(view)
      for (const view of this.#init.own.views(manifestId)) if (matches(view, options)) found.push(view)
    } else {
      const most = Math.min(options.limit ?? MAX_PROVIDERS, MAX_KNOWN_PROVIDERS)
      for await (const view of this.findEach(manifestId, options))
        if (found.push(view) >= most || options.enough?.(found)) break
    }
    return found.length < 2 ? found : best(found, options, this.#surroundings)
  }

  async *findEach(manifestId: Uint8Array, options: FindOptions = {}): AsyncGenerator<ProviderView> {
    const { fresh = false, likely, signal } = options
    let left = Math.min(options.limit ?? MAX_PROVIDERS, MAX_KNOWN_PROVIDERS)
    const start = (given: AbortSignal) => this.#search(manifestId, { fresh, likely, signal: given })
    for await (const view of this.#searches.read(`${fresh} ${toHex(manifestId)}`, start, signal)) {
      if (!matches(view, options)) continue
      yield view
      if (--left === 0) return
    }
  }

  #search(manifestId: Uint8Array, options: SearchOptions): AsyncGenerator<ProviderView> {
    const { connectionManager } = this.#init
    const key = toHex(manifestId)
    // left alone for a while, so that they cost no time: they may run it all the same
    let leftAlone = 0
    this.#init.cache.noteUnheard(key, 1) // until it is over
    return findEach(
      {
        self: this.#init.self,
        local: () => this.#init.own.views(manifestId),
        cached: () => this.#init.cache.get(key),
        leased: () => this.#init.cache.leased(key),
        deny: (peerId) => this.#init.cache.deny(key, peerId),
        connected: () =>
          nearestFirst(manifestId, [...connectionManager.getConnectionsMap().keys()])
            .map((peer) => peer.toString())
            .filter((peerId) => {
              const has = this.#init.penalties.has(peerId)
              if (has) leftAlone++
              return !has
            }),
        ask: async (peerId, source, signal) => {
          // because a machine without power lets a dial wait for seconds
          if (this.#init.isGone?.(peerId)) throw new ProvidersError('PROVIDER_GONE', `${peerId} is gone`)
          const lost = new AbortController()
          const all = this.#asked.get(peerId) ?? new Set()
          this.#asked.set(peerId, all.add(lost))
          try {
            const limit = AbortSignal.any([signal, lost.signal])
            return await this.#init.asking.ask(peerIdFromString(peerId), manifestId, source, limit)
          } finally {
            if (all.delete(lost) && all.size === 0) this.#asked.delete(peerId)
          }
        },
        hinted: () => this.#init.asking.hints(manifestId),
        dht: (signal) => this.#init.asking.walk(manifestId, signal),
        onComplete: () => this.#init.cache.markComplete(key),
        onOver: (unheard) => this.#init.cache.noteUnheard(key, unheard + leftAlone)
      },
      options
    )
  }

  get #surroundings(): Surroundings {
    const { connectionManager } = this.#init
    return {
      self: this.#init.self,
      labels: this.#init.labels,
      roundTripMs: (peerId) => connectionManager.getConnections(peerIdFromString(peerId))[0]?.rtt
    }
  }
}
