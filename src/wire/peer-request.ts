import type { PeerId, Stream } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { equalBytes, isBeemeshError, toError, withDeadline } from '../common/index.ts'
import { type MessageTypeName, openEnvelope, type Root, signEnvelope } from '../envelope/index.ts'
import {
  audienceOf,
  type Network,
  networkTag,
  publicKeyFromPeerId,
  type SigningKey
} from '../identity/index.ts'
import { streamChannel } from './channel/frame-channel.ts'
import { blameOf } from './conduct/blame.ts'
import type { Conduct } from './conduct/conduct.ts'
import { Budget, type BudgetLimits } from './doors/budget.ts'
import { openError, WireError } from './errors.ts'
import { INBOUND_SLACK, MAX_ENVELOPE_BYTES, type Protocol, protocolId } from './protocols.ts'

/** For one connected node. Chosen, no evidence yet. */
export const PEER_BUDGET: BudgetLimits = { burst: 200, perSecond: 50 }

export interface PeerWireInit {
  readonly key: SigningKey
  readonly network: Network
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  /** What is held against askers. @default nothing */
  readonly conduct?: Conduct
  readonly now?: () => number
}

/** What services need of {@link PeerWire}: bytes there and back, and who asks is who it says. The simulation has one without libp2p. */
export type PeerRequests = Pick<PeerWire, 'handle' | 'unhandle' | 'ask'>

/** One question, one answer between two nodes; both are signed by the node at the other end of the connection itself. */
export class PeerWire {
  readonly #init: PeerWireInit
  readonly #now: () => number
  readonly #budget: Budget

  constructor(init: PeerWireInit) {
    this.#init = init
    this.#now = init.now ?? Date.now
    this.#budget = new Budget(init.conduct?.nodeBudget ?? PEER_BUDGET, this.#now)
  }

  /** Registers what answers a protocol. `answer` gets the decoded payload and the asking peer ID. */
  async handle<T>(
    protocol: Protocol,
    root: Root<T, never>,
    answerType: MessageTypeName,
    answer: (payload: T, from: string) => Promise<Uint8Array>
  ): Promise<void> {
    const serve = async (stream: Stream, remote: PeerId) => {
      const channel = await streamChannel(stream, protocol.maxRequestBytes)
      try {
        const from = remote.toString()
        const frame = await channel.read({ signal: AbortSignal.timeout(protocol.requestTimeoutMs) })
        if (frame === undefined) return
        const payload = this.#accept(frame, protocol, root, remote)
        const body = await answer(payload, from)
        await channel.write(this.#sign(body, answerType, publicKeyFromPeerId(from)))
        await channel.close()
      } catch (thrown) {
        channel.abort(toError(thrown))
      }
    }
    await this.#init.registrar.handle(
      this.#id(protocol),
      (stream, connection) => serve(stream, connection.remotePeer),
      {
        maxInboundStreams: protocol.maxStreams * INBOUND_SLACK,
        maxOutboundStreams: protocol.maxStreams,
        runOnLimitedConnection: protocol.relayed
      }
    )
  }

  /** @throws WireError, EnvelopeError, noted in the conduct of who sent it */
  #accept<T>(frame: Uint8Array, protocol: Protocol, root: Root<T, never>, remote: PeerId): T {
    const from = remote.toString()
    try {
      if (!this.#budget.take(from))
        throw new WireError('TOO_MANY_REQUESTS', 'too many requests', { retryable: true })
      return this.#open(frame, protocol.request, root, publicKeyFromPeerId(from))
    } catch (error) {
      const code = isBeemeshError(error) ? error.code : 'MESSAGE_MALFORMED'
      const refusal = { door: protocol.name, reason: code.toLowerCase(), blame: blameOf(code) }
      this.#init.conduct?.refuse(remote, refusal)
      throw error
    }
  }

  async unhandle(protocol: Protocol): Promise<void> {
    await this.#init.registrar.unhandle(this.#id(protocol))
  }

  /** Asks a node; dials it when an address is known. @throws WireError, EnvelopeError */
  async ask<A>(
    peer: PeerId,
    protocol: Protocol,
    payload: Uint8Array,
    answer: { type: MessageTypeName; root: Root<A, never> },
    options: { signal?: AbortSignal } = {}
  ): Promise<A> {
    const signal = withDeadline(protocol.answerTimeoutMs ?? protocol.requestTimeoutMs, options.signal)
    const target = publicKeyFromPeerId(peer.toString())
    const stream = await this.#init.connectionManager
      .openStream(peer, this.#id(protocol), {
        signal,
        runOnLimitedConnection: protocol.relayed,
        maxOutboundStreams: protocol.maxStreams
      })
      .catch((thrown: unknown) => {
        signal.throwIfAborted()
        throw openError(thrown, `the node ${peer.toString()}`)
      })
    const channel = await streamChannel(stream, MAX_ENVELOPE_BYTES)
    try {
      await channel.write(this.#sign(payload, protocol.request, target), { signal })
      const frame = await channel.read({ signal })
      if (frame === undefined)
        throw new WireError('CONNECTION_LOST', 'the node closed without an answer', { retryable: true })
      await channel.close()
      return this.#open(frame, answer.type, answer.root, target)
    } catch (thrown) {
      channel.abort(toError(thrown))
      throw thrown
    }
  }

  #id(protocol: Protocol): string {
    return protocolId(networkTag(this.#init.network), protocol.name)
  }

  #sign(payload: Uint8Array, type: MessageTypeName, target: Uint8Array): Uint8Array {
    const { key, network } = this.#init
    return signEnvelope({
      type,
      payload,
      key,
      networkId: network.id,
      audience: audienceOf(target),
      nowMs: this.#now()
    })
  }

  #open<T>(frame: Uint8Array, type: MessageTypeName, root: Root<T, never>, author: Uint8Array): T {
    const { key, network } = this.#init
    const envelope = openEnvelope(frame, {
      networkId: network.id,
      nowMs: this.#now(),
      audience: audienceOf(key.publicKey)
    })
    if (envelope.type !== type)
      throw new WireError('PROTOCOL_UNKNOWN', `expected ${type}, got ${envelope.type}`)
    if (!equalBytes(envelope.author, author))
      throw new WireError('REPLY_INVALID', 'a message between nodes must be signed by the node that sends it')
    envelope.verifySignature()
    return envelope.decodePayload(root)
  }
}
