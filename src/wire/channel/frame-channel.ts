import type { Socket } from 'node:net'
import type { Stream } from '@libp2p/interface'
import { type Abortable, raceSignal, toError } from '../../common/index.ts'
import { WireError } from '../errors.ts'

/** Length-prefixed frames (unsigned varint, then the bytes) both ways, over a libp2p stream or a local socket. */
export interface FrameChannel {
  /** The next frame, or undefined when the other side has ended cleanly. */
  read(options?: Abortable): Promise<Uint8Array | undefined>
  write(frame: Uint8Array, options?: Abortable): Promise<void>
  /** Nothing more will be written. */
  close(): Promise<void>
  /** Ends both directions at once; repeatable. */
  abort(reason: Error): void
}

/** A channel on a libp2p stream. @param maxFrameBytes larger frames end the stream with FRAME_TOO_LARGE */
export async function streamChannel(stream: Stream, maxFrameBytes: number): Promise<FrameChannel> {
  const { lpStream } = await import('@libp2p/utils') // because the command line needs none of libp2p for a local node
  const frames = lpStream(stream, { maxDataLength: maxFrameBytes, maxBufferSize: maxFrameBytes * 16 })
  return {
    async read({ signal } = {}) {
      try {
        return (await frames.read({ signal })).subarray()
      } catch (thrown) {
        const error = toError(thrown)
        if (error.name === 'UnexpectedEOFError' && stream.status !== 'aborted' && stream.status !== 'reset')
          return undefined
        throw channelError(error, signal)
      }
    },
    async write(frame, { signal } = {}) {
      try {
        await frames.write(frame, { signal })
      } catch (thrown) {
        throw channelError(toError(thrown), signal)
      }
    },
    close: () => stream.close().catch(() => {}),
    abort: (reason) => stream.abort(reason)
  }
}

function channelError(error: Error, signal: AbortSignal | undefined): Error {
  if (signal?.aborted) return toError(signal.reason)
  if (error.name === 'InvalidDataLengthError')
    return new WireError('FRAME_TOO_LARGE', 'the other side sent a frame larger than allowed', {
      cause: error
    })
  return new WireError('CONNECTION_LOST', `the connection ended: ${error.message}`, {
    cause: error,
    retryable: true
  })
}

const MAX_VARINT_BYTES = 5

/** A channel on a local socket, in the same framing. */
export function socketChannel(socket: Socket, maxFrameBytes: number): FrameChannel {
  let buffered: Buffer = Buffer.alloc(0)
  let pending: Promise<IteratorResult<Buffer>> | undefined
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>

  // A read given up on must not lose the chunk that arrives later, so the pending one is kept.
  const more = async (signal: AbortSignal | undefined): Promise<boolean> => {
    pending ??= chunks.next()
    const { done, value } = await raceSignal(pending, signal)
    pending = undefined
    if (!done) buffered = buffered.byteLength === 0 ? value : Buffer.concat([buffered, value])
    return !done
  }

  const take = (): Uint8Array | undefined => {
    let length = 0
    for (let index = 0; index < Math.min(buffered.byteLength, MAX_VARINT_BYTES); index++) {
      const byte = buffered[index]!
      length += (byte & 0x7f) * 2 ** (7 * index)
      if (byte & 0x80) continue
      if (length > maxFrameBytes)
        throw new WireError(
          'FRAME_TOO_LARGE',
          `a frame of ${length} bytes; at most ${maxFrameBytes} are allowed`
        )
      const end = index + 1 + length
      if (buffered.byteLength < end) return undefined
      const frame = Uint8Array.from(buffered.subarray(index + 1, end))
      buffered = buffered.subarray(end)
      return frame
    }
    if (buffered.byteLength >= MAX_VARINT_BYTES)
      throw new WireError('FRAME_TOO_LARGE', 'a frame length that never ends')
    return undefined
  }

  return {
    async read({ signal } = {}) {
      for (;;) {
        const frame = take()
        if (frame !== undefined) return frame
        try {
          if (await more(signal)) continue
        } catch (thrown) {
          throw channelError(toError(thrown), signal)
        }
        if (buffered.byteLength === 0) return undefined
        throw new WireError('CONNECTION_LOST', 'the connection ended in the middle of a frame')
      }
    },
    write: (frame, { signal } = {}) => {
      if (socket.destroyed)
        return Promise.reject(
          new WireError('CONNECTION_LOST', 'the connection is closed', { retryable: true })
        )
      const written = new Promise<void>((resolve, reject) => {
        socket.write(encodeLength(frame.byteLength))
        socket.write(frame, (error) =>
          error ? reject(new WireError('CONNECTION_LOST', error.message, { cause: error })) : resolve()
        )
      })
      return raceSignal(written, signal)
    },
    close: async () => {
      socket.end()
    },
    abort: () => {
      socket.destroy()
    }
  }
}

function encodeLength(length: number): Uint8Array {
  const bytes: number[] = []
  let rest = length
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
