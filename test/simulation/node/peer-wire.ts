import type { PeerId } from '@libp2p/interface'
import { isBeemeshError, withDeadline } from '../../../src/common/index.ts'
import { decode, type MessageTypeName, type Root } from '../../../src/envelope/index.ts'
import { type PeerRequests, type Protocol, WireError } from '../../../src/wire/index.ts'
import type { End, SimulatedWire } from '../network/wire.ts'

type Answer = (bytes: Uint8Array, from: string) => Promise<Uint8Array>

export interface PeerWireInit {
  readonly self: string
  readonly end: End
  readonly wire: SimulatedWire
  /** The same part of another node, and where it stands. */
  readonly of: (
    peerId: string
  ) => { readonly at: number; readonly peerWire: () => SimulatedPeerWire } | undefined
  /** This node answered. */
  readonly onAnswered: (protocol: string, request: Uint8Array, answer: Uint8Array, to: string) => void
}

/**
 * One question, one answer between two nodes, as PeerWire has them over libp2p: bytes there and back, each read by the real codecs. Modelled:
 * no envelope around them, no budget; both have tests of their own.
 */
export class SimulatedPeerWire implements PeerRequests {
  readonly #init: PeerWireInit
  readonly #served = new Map<string, Answer>()

  constructor(init: PeerWireInit) {
    this.#init = init
  }

  async handle<T>(
    { name }: Protocol,
    root: Root<T, never>,
    _answerType: MessageTypeName,
    answer: (payload: T, from: string) => Promise<Uint8Array>
  ): Promise<void> {
    this.#served.set(name, (bytes, from) => answer(decode(root, bytes), from))
  }

  async unhandle({ name }: Protocol): Promise<void> {
    this.#served.delete(name)
  }

  async ask<A>(
    peer: PeerId,
    { name, requestTimeoutMs, answerTimeoutMs }: Protocol,
    payload: Uint8Array,
    answer: { root: Root<A, never> },
    options: { signal?: AbortSignal } = {}
  ): Promise<A> {
    const { end, wire, self, of } = this.#init
    const other = of(peer.toString())
    if (other === undefined) throw new WireError('NODE_UNREACHABLE', 'nobody has this key')
    const signal = withDeadline(answerTimeoutMs ?? requestTimeoutMs, options.signal)
    const serve = () => other.peerWire().#answer(name, payload, self)
    return decode(answer.root, await wire.ask(end, other.at, { name, serve, signal }))
  }

  async #answer(name: string, payload: Uint8Array, from: string): Promise<Uint8Array> {
    const answer = this.#served.get(name)
    if (answer === undefined) throw new WireError('NODE_UNREACHABLE', `no ${name} here`, { retryable: true })
    try {
      const bytes = await answer(payload, from)
      this.#init.onAnswered(name, payload, bytes, from)
      return bytes
    } catch (error) {
      if (!isBeemeshError(error)) throw error
      // because whoever refuses ends the stream without a word
      throw new WireError('CONNECTION_LOST', `${name} was refused: ${error.code}`, { retryable: true })
    }
  }
}
