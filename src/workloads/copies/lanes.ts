import { raceSignal } from '../../common/index.ts'
import { WorkloadsError } from '../errors.ts'

/** One thing at a time for each key, in the order they came: an update waits for the apply before it. */
export class Lanes {
  readonly #tails = new Map<string, Promise<unknown>>()

  run<T>(key: string, act: () => Promise<T>): Promise<T> {
    const result = (this.#tails.get(key) ?? Promise.resolve()).then(act)
    const tail = result.catch(() => {}) // because the next in the lane does not care how this one ended
    this.#tails.set(key, tail)
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    })
    return result
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values())
  }
}

/** At most `limit` at once; the others wait, at most `maxWaiting` of them. */
export class Gate {
  readonly #limit: number
  readonly #maxWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limit: number, maxWaiting: number) {
    this.#limit = limit
    this.#maxWaiting = maxWaiting
  }

  /** @throws WorkloadsError QUEUE_FULL; the signal's reason when it fires while waiting */
  async run<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#running >= this.#limit) await this.#wait(signal)
    else this.#running++
    try {
      return await act()
    } finally {
      this.#release()
    }
  }

  #release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next()
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.length >= this.#maxWaiting)
      throw new WorkloadsError(
        'QUEUE_FULL',
        `${this.#maxWaiting} deployments are waiting on this node already`,
        {
          retryable: true
        }
      )
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    try {
      await raceSignal(promise, signal)
    } catch (error) {
      const place = this.#waiting.indexOf(resolve)
      if (place >= 0) this.#waiting.splice(place, 1)
      else this.#release() // because its turn came in the same moment: pass it on
      throw error
    }
  }
}
