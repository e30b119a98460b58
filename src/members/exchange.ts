import type { Logger, PeerId } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Abortable } from '../common/index.ts'
import { encodeMemberList, MEMBER_LIST, type MemberInit } from '../generated/fbs/index.ts'
import { type OwnerRequest, PEER_PROTOCOLS, type PeerWire } from '../wire/index.ts'
import { STATEMENTS_PER_FRAME } from './constants.ts'
import type { MemberView } from './types.ts'

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

/** What nodes tell each other of the members, and what they tell owners. */
export class Exchange {
  readonly #init: ExchangeInit

  constructor(init: ExchangeInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    const { wire, merge } = this.#init
    await wire.handle(PEER_PROTOCOLS.exchange, MEMBER_LIST, 'memberExchange', async (theirs, from) => {
      merge(
        theirs.members.map(({ statement }) => statement),
        peerIdFromString(from)
      )
      return this.#listFor(from)
    })
  }

  async stop(): Promise<void> {
    await this.#init.wire.unhandle(PEER_PROTOCOLS.exchange)
  }

  /** Never rejects: the next one mends what this one missed. */
  async withPeer(peer: PeerId, { signal }: Abortable): Promise<void> {
    const { wire, merge, log } = this.#init
    try {
      const answer = { type: 'memberExchange', root: MEMBER_LIST } as const
      const list = this.#listFor(peer.toString())
      const theirs = await wire.ask(peer, PEER_PROTOCOLS.exchange, list, answer, { signal })
      merge(
        theirs.members.map(({ statement }) => statement),
        peer
      )
    } catch (error) {
      log('exchange with %p: %e', peer, error)
    }
  }

  async withOne(options: Abortable): Promise<void> {
    const peers = this.#neighbours()
    const peer = peers[Math.floor(Math.random() * peers.length)]
    if (peer !== undefined) await this.withPeer(peer, options)
  }

  async withAll(options: Abortable): Promise<void> {
    await Promise.all(this.#neighbours().map((peer) => this.withPeer(peer, options)))
  }

  async answerOwner({ reply, signal }: OwnerRequest<unknown>): Promise<void> {
    const all = this.#init.list().map((member) => ({ ...toMember(member), state: member.state }))
    for (let from = 0; from === 0 || from < all.length; from += STATEMENTS_PER_FRAME) {
      const members = all.slice(from, from + STATEMENTS_PER_FRAME)
      const last = from + STATEMENTS_PER_FRAME >= all.length
      await reply.send(encodeMemberList({ members }), { last, signal })
    }
  }

  /** Only statements count between nodes: what one of them thinks of a third is for owners. */
  #listFor(peerId: string): Uint8Array {
    const [self, ...others] = this.#init.list()
    // because who leaves reads no more, and who is told goodbye needs nothing else
    const isGoodbye = self!.leaving || this.#init.get(peerId)?.leaving === true
    const useful = others
      .filter(({ state }) => !isGoodbye && state !== 'dead')
      .sort((a, b) => Number(b.connected) - Number(a.connected) || Math.random() - 0.5)
    const members = [self!, ...useful].slice(0, STATEMENTS_PER_FRAME)
    return encodeMemberList({ members: members.map(toMember) })
  }

  /** Connected members; clients are connected, too, but have nothing to tell. */
  #neighbours(): PeerId[] {
    const connected = [...this.#init.connectionManager.getConnectionsMap().keys()]
    return connected.filter((peer) => this.#init.get(peer.toString()) !== undefined)
  }
}

function toMember({ statement, lastSeenMs, connected, relayed, roundTripMs }: MemberView): MemberInit {
  return { statement, lastSeen: lastSeenMs, connected, relayed, roundTripMs: Math.round(roundTripMs ?? 0) }
}
