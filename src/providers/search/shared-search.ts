import { toError } from '../../common/index.ts'
import type { ProviderView } from '../types.ts'

/** One search that several callers read, each from its beginning; it ends when it is over, or when nobody reads any more. */
class SharedSearch {
  readonly #views: ProviderView[] = []
  readonly #stop = new AbortController()
  #readers = 0
  #over = false
  #failure: Error | undefined
  #wake = Promise.withResolvers<void>()

  constructor(start: (signal: AbortSignal) => AsyncIterable<ProviderView>, onOver: () => void) {
    void this.#run(start(this.#stop.signal)).finally(onOver)
  }

  async *read(signal?: AbortSignal): AsyncGenerator<ProviderView> {
    const onAbort = () => this.#notify()
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#readers++
    try {
      for (let index = 0; !signal?.aborted; ) {
        if (index < this.#views.length) yield this.#views[index++]!
        else if (this.#over) break
        else await this.#wake.promise
      }
      if (this.#failure !== undefined) throw this.#failure
    } finally {
      signal?.removeEventListener('abort', onAbort)
      if (--this.#readers === 0) this.#stop.abort()
    }
  }

  async #run(search: AsyncIterable<ProviderView>): Promise<void> {
    try {
      for await (const view of search) {
        this.#views.push(view)
        this.#notify()
      }
    } catch (thrown) {
      this.#failure = toError(thrown)
    } finally {
      this.#over = true
      this.#notify()
    }
  }

  #notify(): void {
    this.#wake.resolve()
    this.#wake = Promise.withResolvers<void>()
  }
}

/** Searches under way, by what they look for: whoever asks the same meanwhile reads along. */
export class SharedSearches {
  readonly #searches = new Map<string, SharedSearch>()

  read(
    key: string,
    start: (signal: AbortSignal) => AsyncIterable<ProviderView>,
    signal?: AbortSignal
  ): AsyncGenerator<ProviderView> {
    let search = this.#searches.get(key)
    if (search === undefined) {
      const started = new SharedSearch(start, () => {
        if (this.#searches.get(key) === started) this.#searches.delete(key)
      })
      search = started
      this.#searches.set(key, started)
    }
    return search.read(signal)
  }
}
