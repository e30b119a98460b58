import { EventEmitter, once } from 'node:events'
import type { FrameChannel } from '../../src/wire/index.ts'

/** Two ends of a channel in memory. Writes never wait, as libp2p's do not, so that only credit holds a sender back. */
export interface ChannelPair {
  readonly a: MemoryChannel
  readonly b: MemoryChannel
}

export interface MemoryChannel extends FrameChannel {
  /** Frames that came and were not read yet. */
  readonly waiting: () => number
  readonly aborted: () => Error | undefined
}

class End implements MemoryChannel {
  readonly #events = new EventEmitter().setMaxListeners(0)
  readonly #frames: Uint8Array[] = []
  #ended = false
  #aborted: Error | undefined
  other!: End

  waiting = () => this.#frames.length
  aborted = () => this.#aborted

  async read({ signal }: { signal?: AbortSignal } = {}): Promise<Uint8Array | undefined> {
    for (;;) {
      signal?.throwIfAborted()
      if (this.#aborted !== undefined) throw this.#aborted
      const frame = this.#frames.shift()
      if (frame !== undefined) return frame
      if (this.#ended) return undefined
      await once(this.#events, 'change', { signal })
    }
  }

  async write(frame: Uint8Array): Promise<void> {
    if (this.#aborted !== undefined) throw this.#aborted
    this.other.receive(() => this.other.#frames.push(frame))
  }

  async close(): Promise<void> {
    this.other.receive(() => {
      this.other.#ended = true
    })
  }

  abort(reason: Error): void {
    for (const end of [this, this.other])
      end.receive(() => {
        end.#aborted ??= reason
      })
  }

  receive(change: () => void): void {
    change()
    this.#events.emit('change')
  }
}

export function channelPair(): ChannelPair {
  const [a, b] = [new End(), new End()]
  a.other = b
  b.other = a
  return { a, b }
}
