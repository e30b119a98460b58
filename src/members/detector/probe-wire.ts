import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Connection, Stream } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { raceSignal, timeoutSignal, toError } from '../../common/index.ts'
import { decode, PROBE, PROBE_ANSWER } from '../../envelope/index.ts'
import {
  encodeProbe,
  encodeProbeAnswer,
  type Probe,
  type ProbeAnswer,
  type ProbeInit
} from '../../generated/fbs/index.ts'
import {
  Budget,
  type FrameChannel,
  PROBE_PROTOCOL,
  protocolId,
  streamChannel,
  WireError
} from '../../wire/index.ts'
import { PROBE_BUDGET, STREAM_TIMEOUT_MS } from './constants.ts'

export interface ProbeWireInit {
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly networkTag: string
  /** A frame came from the member itself. */
  readonly onHeard: (peerId: string) => void
  /** What to answer to a probe that is for somebody else; undefined: not reached. */
  readonly prove: (probe: Probe, from: string) => Promise<Uint8Array | undefined>
}

type Waiting = Map<number, (answer: ProbeAnswer | undefined) => void>

interface Session {
  readonly channel: FrameChannel
  readonly waiting: Waiting
}

/** Probes and their answers, on one stream a peer that lasts. Who answers is who Noise says is at the other end. */
export class ProbeWire {
  readonly #init: ProbeWireInit
  readonly #id: string
  readonly #sessions = new Map<string, Promise<Session>>()
  readonly #served = new Set<FrameChannel>()
  readonly #budget = new Budget(PROBE_BUDGET)
  #nextId = 1

  constructor(init: ProbeWireInit) {
    this.#init = init
    this.#id = protocolId(init.networkTag, PROBE_PROTOCOL.name)
  }

  async start(): Promise<void> {
    const serve = (stream: Stream, { remotePeer }: Connection) => this.#serve(stream, remotePeer.toString())
    const { maxStreams, relayed } = PROBE_PROTOCOL
    await this.#init.registrar.handle(this.#id, serve, {
      maxInboundStreams: maxStreams,
      maxOutboundStreams: maxStreams,
      runOnLimitedConnection: relayed
    })
  }

  async stop(): Promise<void> {
    await this.#init.registrar.unhandle(this.#id)
    for (const peerId of [...this.#sessions.keys()]) this.forget(peerId)
    for (const channel of this.#served) channel.abort(stopping())
  }

  /** Over a connection that is there; never dials. @throws WireError, AbortError, what libp2p throws */
  async ask(peerId: string, probe: Omit<ProbeInit, 'id'>, { signal }: { signal: AbortSignal }) {
    const { channel, waiting } = await raceSignal(this.#session(peerId), signal)
    const id = this.#nextId++ >>> 0
    const { promise, resolve } = Promise.withResolvers<ProbeAnswer | undefined>()
    waiting.set(id, resolve)
    try {
      await channel.write(encodeProbe({ ...probe, id }), { signal })
      const answer = await raceSignal(promise, signal)
      if (answer === undefined) throw new WireError('CONNECTION_LOST', 'the stream of probes has ended')
      return answer
    } finally {
      waiting.delete(id)
    }
  }

  /** The next probe goes over the newest connection, on a stream of its own. */
  forget(peerId: string): void {
    const session = this.#sessions.get(peerId)
    this.#sessions.delete(peerId)
    session?.then(({ channel }) => channel.abort(stopping())).catch(() => {})
  }

  #session(peerId: string): Promise<Session> {
    const known = this.#sessions.get(peerId)
    if (known !== undefined) return known
    const opened = this.#open(peerId)
    this.#sessions.set(peerId, opened)
    const gone = () => {
      if (this.#sessions.get(peerId) === opened) this.#sessions.delete(peerId)
    }
    opened.then((session) => this.#read(peerId, session).finally(gone), gone)
    return opened
  }

  async #open(peerId: string): Promise<Session> {
    // because libp2p throws where nobody can catch it when a connection is aborted in the turn that opens a stream on it,
    // and the loss of one connection is what makes us ask over others
    await nextTurn()
    const peer = peerIdFromString(peerId)
    const connection = best(this.#init.connectionManager.getConnections(peer))
    if (connection === undefined) throw new WireError('NODE_UNREACHABLE', 'there is no connection')
    const { maxStreams, relayed } = PROBE_PROTOCOL
    try {
      const stream = await connection.newStream(this.#id, {
        signal: timeoutSignal(STREAM_TIMEOUT_MS), // longer than a probe, because a late answer is one, too
        maxOutboundStreams: maxStreams,
        runOnLimitedConnection: relayed
      })
      return { channel: await streamChannel(stream, PROBE_PROTOCOL.maxFrameBytes), waiting: new Map() }
    } catch (thrown) {
      // because a node without this protocol has answered just now
      if (toError(thrown).name === 'UnsupportedProtocolError') this.#init.onHeard(peerId)
      throw thrown
    }
  }

  async #read(peerId: string, { channel, waiting }: Session): Promise<void> {
    try {
      for (;;) {
        const frame = await channel.read()
        if (frame === undefined) break
        const answer = decode(PROBE_ANSWER, frame)
        this.#init.onHeard(peerId)
        waiting.get(answer.id)?.(answer)
      }
      await channel.close()
    } catch (thrown) {
      channel.abort(toError(thrown))
    } finally {
      for (const resolve of waiting.values()) resolve(undefined)
    }
  }

  async #serve(stream: Stream, from: string): Promise<void> {
    const channel = await streamChannel(stream, PROBE_PROTOCOL.maxFrameBytes)
    this.#served.add(channel)
    try {
      for (;;) {
        const frame = await channel.read()
        if (frame === undefined) break
        if (!this.#budget.take(from)) throw new WireError('TOO_MANY_REQUESTS', 'too many probes')
        const probe = decode(PROBE, frame)
        this.#init.onHeard(from)
        this.#answer(channel, probe, from).catch((thrown) => channel.abort(toError(thrown)))
      }
      await channel.close()
    } catch (thrown) {
      channel.abort(toError(thrown))
    } finally {
      this.#served.delete(channel)
    }
  }

  async #answer(channel: FrameChannel, probe: Probe, from: string): Promise<void> {
    const forOthers = probe.target !== undefined || probe.asker !== undefined
    const proof = forOthers ? await this.#init.prove(probe, from) : undefined
    await channel.write(encodeProbeAnswer({ id: probe.id, proof }))
  }
}

/** One without a relay's limits before others, and of these the newest. */
function best(connections: readonly Connection[]): Connection | undefined {
  const open = connections.filter(({ status }) => status === 'open')
  return open.filter(({ limits }) => limits === undefined).at(-1) ?? open.at(-1)
}

function stopping(): WireError {
  return new WireError('CANCELLED', 'the stream of probes is not needed any more')
}
