import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { toError } from '../../common/index.ts'
import { localGreeting } from '../doors/doors.ts'
import { WireError } from '../errors.ts'
import { MAX_FORWARD_BYTES } from '../protocols.ts'
import { type FrameChannel, socketChannel } from './frame-channel.ts'

/** Connections at once; each is one request of a command on this machine. Chosen, no evidence yet. */
const MAX_CONNECTIONS = 256
const GREETING_TIMEOUT_MS = 2_000

/** The door for commands on the same machine: a Unix socket that only this user may open, same frames as elsewhere. */
export class LocalSocket {
  readonly path: string
  readonly #serve: (channel: FrameChannel, protocol: string) => Promise<void>
  readonly #open = new Set<Socket>()
  #server: Server | undefined

  constructor(path: string, serve: (channel: FrameChannel, protocol: string) => Promise<void>) {
    this.path = path
    this.#serve = serve
  }

  async start(): Promise<void> {
    await rm(this.path, { force: true }) // because a node that was killed leaves its socket behind
    const server = createServer((socket) => void this.#accept(socket))
    server.maxConnections = MAX_CONNECTIONS
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen(this.path, resolve)
    await promise
    await chmod(this.path, 0o600)
    this.#server = server
  }

  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (this.#server === undefined) return
    this.#server.close(() => resolve())
    for (const socket of this.#open) socket.destroy()
    await promise
    await rm(this.path, { force: true })
  }

  async #accept(socket: Socket): Promise<void> {
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    socket.on('error', () => socket.destroy())
    const channel = socketChannel(socket, MAX_FORWARD_BYTES)
    try {
      const greeting = await channel.read({ signal: AbortSignal.timeout(GREETING_TIMEOUT_MS) })
      if (greeting === undefined || greeting[0] !== localGreeting('')[0])
        throw new WireError('PROTOCOL_UNKNOWN', 'not a greeting of ours')
      await this.#serve(channel, new TextDecoder().decode(greeting.subarray(1)))
    } catch (error) {
      channel.abort(toError(error))
    }
  }
}
