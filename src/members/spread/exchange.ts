import type { Logger, PeerId } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Abortable } from '../../common/index.ts'
import { EXCHANGE, type Exchange as ExchangeMessage, encodeExchange } from '../../generated/fbs/index.ts'
import { PEER_PROTOCOLS, type PeerWire } from '../../wire/index.ts'
import { MAX_EXCHANGE_ROUNDS, STATEMENTS_PER_FRAME } from '../constants.ts'
import type { MemberView } from '../types.ts'
import { decodeKeys, decodeSummary, encodeKeys, encodeSummary, summaryKey } from './summary.ts'

export interface ExchangeInit {
  readonly wire: PeerWire
  readonly connectionManager: ConnectionManager
  readonly log: Logger
  /** This node first. */
  readonly list: () => readonly MemberView[]
  readonly get: (peerId: string) => MemberView | undefined
  /** @param from whom they came from */
  readonly merge: (statements: readonly Uint8Array[], from: PeerId) => void
}

const NONE = new Uint8Array()
const ANSWER = { type: 'memberExchange', root: EXCHANGE } as const

/** Anti-entropy: two nodes compare what they know of the members, and each sends only what the other lacks. */
export class Exchange {
  readonly #init: ExchangeInit

  constructor(init: ExchangeInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    const { wire, merge } = this.#init
    await wire.handle(PEER_PROTOCOLS.exchange, EXCHANGE, 'memberExchange', async (theirs, from) => {
      merge(valuesOf(theirs), peerIdFromString(from))
      return this.#answer(theirs)
    })
  }

  async stop(): Promise<void> {
    await this.#init.wire.unhandle(PEER_PROTOCOLS.exchange)
  }

  /** Never rejects: the next one mends what this one missed. */
  async withPeer(peer: PeerId, { signal }: Abortable): Promise<void> {
    try {
      for (let round = 0, more = true; more && round < MAX_EXCHANGE_ROUNDS; round++)
        more = await this.#round(peer, { signal })
    } catch (error) {
      this.#init.log('exchange with %p: %e', peer, error)
    }
  }

  async withOne(options: Abortable): Promise<void> {
    const peers = this.#neighbours()
    const peer = peers[Math.floor(Math.random() * peers.length)]
    if (peer !== undefined) await this.withPeer(peer, options)
  }

  /** This node's last word, to all neighbours. Never rejects. */
  async goodbye({ signal }: Abortable): Promise<void> {
    const { wire, list, log } = this.#init
    const statements = list().slice(0, 1).map(toBytes)
    const say = (peer: PeerId) =>
      wire
        .ask(peer, PEER_PROTOCOLS.exchange, encodeExchange({ statements }), ANSWER, { signal })
        .catch((error: unknown) => log('goodbye to %p: %e', peer, error))
    await Promise.all(this.#neighbours().map(say))
  }

  /** @returns whether the other has more to say */
  async #round(peer: PeerId, { signal }: Abortable): Promise<boolean> {
    const { wire, list, merge } = this.#init
    const known = encodeSummary(list())
    const theirs = await wire.ask(peer, PEER_PROTOCOLS.exchange, encodeExchange({ known }), ANSWER, {
      signal
    })
    merge(valuesOf(theirs), peer)
    const wanted = decodeKeys(theirs.wanted ?? NONE)
    const statements = this.#sendable()
      .filter(({ publicKey }) => wanted.has(summaryKey(publicKey)))
      .slice(0, STATEMENTS_PER_FRAME)
      .map(toBytes)
    if (statements.length > 0)
      await wire.ask(peer, PEER_PROTOCOLS.exchange, encodeExchange({ statements }), ANSWER, { signal })
    return theirs.more
  }

  /** What the asker lacks, and what it should send. Nothing to one that says no more than its own word, which is going. */
  #answer({ known: bytes }: ExchangeMessage): Uint8Array {
    const known = decodeSummary(bytes ?? NONE)
    if (known.size === 0) return encodeExchange({})
    const news = this.#sendable().filter(
      ({ publicKey, issuedAtMs }) => issuedAtMs > (known.get(summaryKey(publicKey)) ?? -1)
    )
    const ours = new Map(this.#init.list().map((node) => [summaryKey(node.publicKey), node.issuedAtMs]))
    const wanted = [...known].filter(([key, issuedAtMs]) => issuedAtMs > (ours.get(key) ?? -1))
    return encodeExchange({
      statements: news.slice(0, STATEMENTS_PER_FRAME).map(toBytes),
      wanted: encodeKeys(wanted.slice(0, STATEMENTS_PER_FRAME).map(([key]) => key)),
      more: news.length > STATEMENTS_PER_FRAME
    })
  }

  /** Only statements count between nodes, what one of them thinks of a third does not; those that seem dead are not spread. */
  #sendable(): MemberView[] {
    return this.#init.list().filter(({ state }) => state !== 'dead')
  }

  /** Connected members; clients are connected, too, but have nothing to tell. */
  #neighbours(): PeerId[] {
    const connected = [...this.#init.connectionManager.getConnectionsMap().keys()]
    return connected.filter((peer) => this.#init.get(peer.toString()) !== undefined)
  }
}

function toBytes({ statement }: MemberView): { value: Uint8Array } {
  return { value: statement }
}

function valuesOf({ statements }: ExchangeMessage): Uint8Array[] {
  return statements.map(({ value }) => value)
}
