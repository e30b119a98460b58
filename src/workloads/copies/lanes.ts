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

interface Waiting {
  readonly owner: string
  readonly go: () => void
}

/** At most `limit` at once; the others wait, at most `maxWaiting` of them, and owners take turns. */
export class Gate {
  readonly #limit: number
  readonly #maxWaiting: number
  /** In the order in which owners have their turn. */
  readonly #queues = new Map<string, Waiting[]>()
  #waiting = 0
  #running = 0

  constructor(limit: number, maxWaiting: number) {
    this.#limit = limit
    this.#maxWaiting = maxWaiting
  }

  /** @throws WorkloadsError QUEUE_FULL; the signal's reason when it fires while waiting */
  async run<T>(
    act: () => Promise<T>,
    { signal, owner = '' }: { signal?: AbortSignal; owner?: string } = {}
  ): Promise<T> {
    if (this.#running >= this.#limit) await this.#wait(owner, signal)
    else this.#running++
    try {
      return await act()
    } finally {
      this.#release()
    }
  }

  /** The next in line takes the place of the one that leaves; its owner goes to the end of the round. */
  #release(): void {
    const [owner, queue] = this.#queues.entries().next().value ?? []
    const next = queue?.shift()
    if (owner === undefined || queue === undefined || next === undefined) {
      this.#running--
      return
    }
    this.#waiting--
    this.#queues.delete(owner)
    if (queue.length > 0) this.#queues.set(owner, queue)
    next.go()
  }

  async #wait(owner: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting >= this.#maxWaiting)
      throw new WorkloadsError(
        'QUEUE_FULL',
        `${this.#maxWaiting} deployments are waiting on this node already`,
        {
          retryable: true
        }
      )
    const { promise, resolve } = Promise.withResolvers<void>()
    const entry: Waiting = { owner, go: resolve }
    this.#queues.set(owner, [...(this.#queues.get(owner) ?? []), entry])
    this.#waiting++
    try {
      await raceSignal(promise, signal)
    } catch (error) {
      if (!this.#leave(entry)) this.#release() // because its turn came in the same moment: pass it on
      throw error
    }
  }

  #leave(entry: Waiting): boolean {
    const queue = this.#queues.get(entry.owner)
    const place = queue?.indexOf(entry) ?? -1
    if (queue === undefined || place < 0) return false
    queue.splice(place, 1)
    if (queue.length === 0) this.#queues.delete(entry.owner)
    this.#waiting--
    return true
  }
}
