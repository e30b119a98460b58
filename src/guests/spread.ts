import type { Logger, PeerId } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { equalBytes, toHex, withDeadline } from '../common/index.ts'
import { encodeRevocations, REVOCATIONS, type Revocations } from '../generated/fbs/index.ts'
import type { Revocation } from '../trust/index.ts'
import { PEER_PROTOCOLS, type PeerWire } from '../wire/index.ts'
import { MAX_TOLD, REVOCATIONS_PER_FRAME, SYNC_CONCURRENCY, SYNC_TIMEOUT_MS } from './constants.ts'

export interface SpreadInit {
  readonly wire: PeerWire
  readonly connectionManager: ConnectionManager
  readonly isNode: (peer: PeerId) => boolean
  readonly log: Logger
  /** Fires when the node stops. */
  readonly signal: () => AbortSignal
  readonly known: () => readonly Revocation[]
  readonly digest: () => Uint8Array
  /** Takes in what a neighbour says. @returns those that are new */
  readonly take: (bytes: readonly Uint8Array[], from: PeerId) => Promise<Revocation[]>
}

const ANSWER = { type: 'revocations', root: REVOCATIONS } as const

/**
 * How revocations get round: a new one is passed on at once to everybody connected, and every half minute a random neighbour is asked
 * whether it knows the same.
 */
export class Spread {
  readonly #init: SpreadInit
  /** What both sides knew when all was told last, by peer: told again it would be refused again. */
  readonly #told = new Map<string, string>()

  constructor(init: SpreadInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    const { wire, take, digest } = this.#init
    await wire.handle(PEER_PROTOCOLS.revocations, REVOCATIONS, 'revocations', async (theirs, from) => {
      const peer = peerIdFromString(from)
      const fresh = await take(valuesOf(theirs), peer)
      if (fresh.length > 0) void this.tell(fresh, peer)
      const same = equalBytes(theirs.set, digest())
      // what it lacks is not known here, so it gets what fits; the rest when it asks again, or is asked
      const ours = same ? [] : newestFirst(this.#init.known()).slice(0, REVOCATIONS_PER_FRAME)
      return encode(digest(), ours)
    })
  }

  async stop(): Promise<void> {
    await this.#init.wire.unhandle(PEER_PROTOCOLS.revocations)
  }

  /** Compares with a random neighbour. */
  async syncOne(): Promise<void> {
    const peers = this.#neighbours()
    const peer = peers[Math.floor(Math.random() * peers.length)]
    if (peer !== undefined) await this.sync(peer)
  }

  /** Never rejects: the next one mends what this one missed. */
  async sync(peer: PeerId): Promise<void> {
    const { take, digest, known } = this.#init
    try {
      const theirs = await this.#ask(peer, [])
      const fresh = await take(valuesOf(theirs), peer)
      if (fresh.length > 0) void this.tell(fresh, peer)
      const state = `${toHex(digest())} ${toHex(theirs.set)}`
      if (equalBytes(theirs.set, digest()) || this.#told.get(peer.toString()) === state) return
      for (let from = 0; from < known().length; from += REVOCATIONS_PER_FRAME)
        await this.#ask(peer, known().slice(from, from + REVOCATIONS_PER_FRAME))
      this.#told.delete(peer.toString())
      this.#told.set(peer.toString(), state)
      if (this.#told.size > MAX_TOLD) this.#told.delete(this.#told.keys().next().value!)
    } catch (error) {
      this.#init.log('revocations with %p: %e', peer, error)
    }
  }

  /** Passes new ones on. @param except who told us */
  async tell(revocations: readonly Revocation[], except?: PeerId): Promise<void> {
    const peers = this.#neighbours().filter((peer) => peer.toString() !== except?.toString())
    const work = async () => {
      for (let peer = peers.shift(); peer !== undefined; peer = peers.shift())
        for (let from = 0; from < revocations.length; from += REVOCATIONS_PER_FRAME)
          await this.#ask(peer, revocations.slice(from, from + REVOCATIONS_PER_FRAME)).catch((error) =>
            this.#init.log('revocations for %p: %e', peer, error)
          )
    }
    await Promise.all(Array.from({ length: Math.min(SYNC_CONCURRENCY, peers.length) }, work))
  }

  #ask(peer: PeerId, revocations: readonly Revocation[]): Promise<Revocations> {
    const { wire, digest, signal } = this.#init
    const body = encode(digest(), revocations)
    return wire.ask(peer, PEER_PROTOCOLS.revocations, body, ANSWER, {
      signal: withDeadline(SYNC_TIMEOUT_MS, signal())
    })
  }

  #neighbours(): PeerId[] {
    return [...this.#init.connectionManager.getConnectionsMap().keys()].filter((peer) =>
      this.#init.isNode(peer)
    )
  }
}

function encode(set: Uint8Array, revocations: readonly Revocation[]): Uint8Array {
  return encodeRevocations({ set, revocations: revocations.map(({ bytes }) => ({ value: bytes })) })
}

function newestFirst(revocations: readonly Revocation[]): Revocation[] {
  return [...revocations].sort((a, b) => b.revokedAt - a.revokedAt)
}

function valuesOf({ revocations }: Revocations): Uint8Array[] {
  return revocations.map(({ value }) => value)
}
