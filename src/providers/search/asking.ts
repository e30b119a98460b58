import type { ContentRouting, Logger, PeerId, PeerStore } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { Datastore } from 'interface-datastore'
import { CID } from 'multiformats/cid'
import { isBeemeshError, timeoutSignal, toHex } from '../../common/index.ts'
import { encodeLookup, PROVIDER_LIST, type ProviderSource } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../../identity/index.ts'
import { PEER_PROTOCOLS, type PeerRequests, type Penalties } from '../../wire/index.ts'
import { ASK_TIMEOUT_MS, LEASE_MS } from '../constants.ts'
import { hasDhtNeighbour, heldProviderRecords } from '../dht.ts'
import { isDenial, openProviderStatement } from '../provider-statement.ts'
import type { Heard } from './find.ts'
import type { ProviderCache } from './provider-cache.ts'

/** How the text of every peer ID of an Ed25519 key begins. */
const ED25519_PEER_ID = '12D3KooW'

export interface AskingInit {
  readonly components: {
    readonly contentRouting: ContentRouting
    readonly connectionManager: ConnectionManager
    readonly peerStore: PeerStore
    readonly datastore: Datastore
  }
  readonly self: string
  readonly networkId: Uint8Array
  readonly wire: PeerRequests
  readonly cache: ProviderCache
  readonly penalties: Penalties
  readonly isMember: (peerId: string) => boolean
  readonly now: () => number
  readonly log: Logger
}

/** Asks one node, or the DHT. What cannot be believed is left out, and who said it is left alone for a while. */
export class Asking {
  readonly #init: AskingInit

  constructor(init: AskingInit) {
    this.#init = init
  }

  /** One node's answer: what it says of itself, what others told it, and whom the DHT's records that it holds name. */
  async ask(
    peer: PeerId,
    manifestId: Uint8Array,
    source: ProviderSource,
    signal: AbortSignal
  ): Promise<Heard> {
    const answer = { type: 'providerList', root: PROVIDER_LIST } as const
    const request = encodeLookup({ manifestId })
    const limit = { signal: AbortSignal.any([signal, timeoutSignal(ASK_TIMEOUT_MS)]) }
    const asked = peer.toString()
    const { providers, hints } = await this.#init.wire
      .ask(peer, PEER_PROTOCOLS.lookup, request, answer, limit)
      .catch((error) => {
        if (!signal.aborted) this.#init.penalties.strike(asked) // it cost time; the next search does not wait for it
        throw error
      })
    const nowMs = this.#init.now()
    const context = { manifestId, networkId: this.#init.networkId, nowMs, source }
    const views = providers.flatMap(({ statement }) => {
      try {
        const view = openProviderStatement(statement, context)
        const heard = view.peerId === asked || this.#init.isMember(view.peerId) // because anybody can sign as a stranger
        return !isDenial(view) && heard ? [view] : []
      } catch (error) {
        this.#init.log('statement passed on by %p refused: %e', peer, error)
        // one whose time is over was honest when it was passed on, or the clocks differ
        if (!isOver(error)) this.#init.penalties.strike(asked)
        return []
      }
    })
    for (const view of views)
      if (view.peerId !== this.#init.self)
        this.#init.cache.put(toHex(manifestId), view, view.peerId === asked ? nowMs + LEASE_MS : 0, {
          isAnswer: view.peerId === asked
        })
    return { views, hints: this.#known(hints) }
  }

  /** Those of the named that are members here, because anybody can name anybody, and a stranger would have to be looked for. */
  #known(hints: readonly { readonly value: Uint8Array }[]): string[] {
    return hints
      .filter(({ value }) => value.byteLength === 32)
      .map(({ value }) => peerIdFromPublicKey(value))
      .filter((peerId) => this.#init.isMember(peerId) && !this.#init.penalties.has(peerId))
  }

  /** Providers whose records this node holds for others. In a mesh of up to twenty that is all of them. */
  async hints(manifestId: Uint8Array): Promise<string[]> {
    const all = await heldProviderRecords(this.#init.components.datastore, manifestId)
    return all.filter((peerId) => peerId.startsWith(ED25519_PEER_ID)) // no node of ours has another kind of key
  }

  async *walk(manifestId: Uint8Array, signal: AbortSignal): AsyncGenerator<string> {
    if (!(await hasDhtNeighbour(this.#init.components))) return
    for await (const { id } of this.#init.components.contentRouting.findProviders(CID.decode(manifestId), {
      signal
    }))
      if (!this.#init.penalties.has(id.toString())) yield id.toString()
  }
}

function isOver(error: unknown): boolean {
  return isBeemeshError(error) && error.code === 'PROVIDER_STATEMENT_INVALID'
}
