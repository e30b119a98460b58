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
/** Inputs that wait to be taken. An asker that keeps to its credit has at most {@link CREDIT_FRAMES}. */
const MAX_INPUTS = 4 * CREDIT_FRAMES

/** The sending side: waits for the reader when it is {@link CREDIT_FRAMES} ahead. */
export class CreditedWriter {
  readonly #channel: FrameChannel
  readonly #gone = new AbortController()
  #unacknowledged = 0
  #waiting: (() => void)[] = []
  readonly #inputs: Uint8Array[] = []
  #inputCame = Promise.withResolvers<void>()

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

  /** What the reader says meanwhile, beside acknowledging. Ends when it is gone. */
  async *inputs(): AsyncGenerator<Uint8Array> {
    for (;;) {
      while (this.#inputs.length > 0) yield this.#inputs.shift()!
      if (this.gone.aborted) return
      await this.#inputCame.promise
      this.#inputCame = Promise.withResolvers()
    }
  }

  #takeInput(frame: Uint8Array): void {
    if (this.#inputs.length >= MAX_INPUTS)
      throw new WireError('TOO_MANY_REQUESTS', 'the asker sends faster than it is allowed to')
    this.#inputs.push(frame)
    this.#inputCame.resolve()
  }

  async #readAcknowledgements(): Promise<void> {
    try {
      for (let frame = await this.#channel.read(); frame !== undefined; frame = await this.#channel.read()) {
        if (frame.byteLength > 1) {
          this.#takeInput(frame)
          continue
        }
        this.#unacknowledged = Math.max(0, this.#unacknowledged - 1)
        for (const wake of this.#waiting.splice(0)) wake() // each looks again; those that were first come first
      }
      this.#gone.abort(new WireError('CANCELLED', 'the asker ended the request'))
    } catch (thrown) {
      this.#gone.abort(toError(thrown))
    } finally {
      this.#inputCame.resolve()
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
