import { CACHE_MAX_MANIFESTS, CACHE_TTL_MS, MAX_PROVIDERS } from './constants.ts'
import type { ProviderView } from './types.ts'

/** Who was seen to run what: where to ask first, and what to pass on while its lease lasts. Bounded. */
export class ProviderCache {
  readonly #now: () => number
  readonly #manifests = new Map<string, Map<string, { view: ProviderView; untilMs: number }>>()

  constructor(now: () => number) {
    this.#now = now
  }

  put(key: string, view: ProviderView): void {
    const providers = this.#manifests.get(key) ?? new Map()
    this.#manifests.delete(key)
    this.#manifests.set(key, providers)
    if (this.#manifests.size > CACHE_MAX_MANIFESTS)
      this.#manifests.delete(this.#manifests.keys().next().value!)
    const known = providers.get(view.peerId)
    if (known !== undefined && known.view.issuedAtMs > view.issuedAtMs) return
    providers.set(view.peerId, { view, untilMs: this.#now() + CACHE_TTL_MS })
    if (providers.size > MAX_PROVIDERS) providers.delete(providers.keys().next().value!)
  }

  forget(key: string, peerId: string): void {
    const providers = this.#manifests.get(key)
    providers?.delete(peerId)
    if (providers?.size === 0) this.#manifests.delete(key)
  }

  get(key: string): ProviderView[] {
    const nowMs = this.#now()
    return [...(this.#manifests.get(key)?.values() ?? [])]
      .filter(({ untilMs }) => untilMs > nowMs)
      .map(({ view }) => view)
  }

  /** Those that may still be said to run. */
  leased(key: string): ProviderView[] {
    const nowMs = this.#now()
    return this.get(key).filter(({ leaseUntilMs }) => leaseUntilMs > nowMs)
  }
}
