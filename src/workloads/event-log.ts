import type { Logger } from '@libp2p/interface'
import { type Collection, jsonCodec, type Store } from '../store/index.ts'
import type { WorkloadEvent } from './types.ts'

/** Events kept. Chosen: about 300 KB on disk. */
export const MAX_EVENTS = 1_000
/** Events are written together after this long: they tell what happened, they do not decide anything. Chosen. */
const FLUSH_MS = 500

/** The last events of this node, also after a restart; the oldest go first. */
export class EventLog {
  readonly #stored: Collection<WorkloadEvent>
  readonly #store: Store
  readonly #max: number
  readonly #log: Logger
  #events: { key: string; event: WorkloadEvent }[] = []
  #unwritten: string[] = []
  #sequence = 0
  #timer: NodeJS.Timeout | undefined

  constructor(store: Store, log: Logger, max: number = MAX_EVENTS) {
    this.#store = store
    this.#stored = store.collection('events', jsonCodec())
    this.#max = max
    this.#log = log
  }

  async open(): Promise<void> {
    for await (const [key, event] of this.#stored.entries()) this.#events.push({ key, event })
    this.#sequence = Number(this.#events.at(-1)?.key ?? 0)
  }

  add(event: WorkloadEvent): void {
    const key = String(++this.#sequence).padStart(12, '0')
    this.#events.push({ key, event })
    this.#unwritten.push(key)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.flush().catch((error: unknown) => this.#log.error('event log: %e', error))
    }, FLUSH_MS)
  }

  recent(): readonly WorkloadEvent[] {
    return this.#events.slice(-this.#max).map(({ event }) => event)
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const fresh = new Set(this.#unwritten)
    this.#unwritten = []
    const excess = this.#events.slice(0, Math.max(0, this.#events.length - this.#max))
    this.#events = this.#events.slice(excess.length)
    const writes = [
      ...this.#events
        .filter(({ key }) => fresh.has(key))
        .map(({ key, event }) => this.#stored.putting(key, event)),
      ...excess.filter(({ key }) => !fresh.has(key)).map(({ key }) => this.#stored.deleting(key))
    ]
    if (writes.length > 0) await this.#store.write(writes)
  }
}
