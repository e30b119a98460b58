import { memoryStore, type Store, type Write } from '../../../src/store/index.ts'
import type { Host, VirtualClock } from '../time/clock.ts'

/** One write, ms: LevelDB with fsync on an SSD. Source: chosen. */
const WRITE_MS = [0.5, 4] as const

/** A machine's disk: outlives its processes. A write takes its time, and is all there or not at all. */
export class Disk {
  isFull = false
  readonly #store = memoryStore()
  readonly #clock: VirtualClock
  #freeAtMs = 0

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  /** As one process sees it: what it has not finished writing when it dies is not there. */
  openFor(host: Host): Store {
    const write = (writes: readonly Write[]) => this.#write(host, writes)
    return {
      ...this.#store,
      write,
      collection: (name, codec) => {
        const own = this.#store.collection(name, codec)
        return {
          ...own,
          put: (key, value) => write([own.putting(key, value)]),
          delete: (key) => write([own.deleting(key)])
        }
      }
    }
  }

  async #write(host: Host, writes: readonly Write[]): Promise<void> {
    const grows = writes.some(({ value }) => value !== undefined)
    if (this.isFull && grows) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    const [least, most] = WRITE_MS
    const nowMs = this.#clock.nowMs
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + this.#clock.dice.between(least, most)
    await new Promise<void>((resolve) => {
      this.#clock.after(this.#freeAtMs - nowMs, host, resolve)
    })
    await this.#store.write(writes)
  }
}
