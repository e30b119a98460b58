import type { Abortable } from '../../common/index.ts'
import { raceSignal, toError } from '../../common/index.ts'
import { WireError } from '../errors.ts'
import type { FrameChannel } from './frame-channel.ts'

/**
 * Frames on the way that the reader has not taken yet. libp2p streams have no working back-pressure for a slow reader
 * (measured 2026-11-20: a reader that falls 4 MiB behind is reset), so the reader grants credit itself.
 */
export const CREDIT_FRAMES = 8

const ACK = Uint8Array.of(1)

/** The sending side: waits for the reader when it is {@link CREDIT_FRAMES} ahead. */
export class CreditedWriter {
  readonly #channel: FrameChannel
  readonly #gone = new AbortController()
  #unacknowledged = 0
  #waiting: (() => void)[] = []

  constructor(channel: FrameChannel) {
    this.#channel = channel
    void this.#readAcknowledgements()
  }

  /** Fires when the reader went away or gave up. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  async write(frame: Uint8Array, { signal }: Abortable = {}): Promise<void> {
    const stop = signal === undefined ? this.gone : AbortSignal.any([signal, this.gone])
    stop.throwIfAborted()
    while (this.#unacknowledged >= CREDIT_FRAMES) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      await raceSignal(promise, stop)
    }
    this.#unacknowledged++
    await this.#channel.write(frame, { signal: stop })
  }

  async #readAcknowledgements(): Promise<void> {
    try {
      while ((await this.#channel.read()) !== undefined) {
        this.#unacknowledged = Math.max(0, this.#unacknowledged - 1)
        for (const wake of this.#waiting.splice(0)) wake() // each looks again; those that were first come first
      }
      this.#gone.abort(new WireError('CANCELLED', 'the asker ended the request'))
    } catch (thrown) {
      this.#gone.abort(toError(thrown))
    }
  }
}

/** The receiving side: yields frames and grants credit for one when the next is asked for. Ends with the stream. */
export async function* readCredited(
  channel: FrameChannel,
  { signal }: Abortable = {}
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const frame = await channel.read({ signal })
    if (frame === undefined) return
    yield frame
    await channel.write(ACK, { signal }).catch(() => {}) // because the sender may have closed after its last frame
  }
}
