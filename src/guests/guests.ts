import type { Logger, PeerId } from '@libp2p/interface'
import { serviceCapabilities } from '@libp2p/interface'
import { isBeemeshError, repeat } from '../common/index.ts'
import {
  encodeRedeemed,
  PRESENT_REQUEST,
  QUERY,
  REDEEM,
  REVOKE_REQUEST,
  type Redeem,
  TRUST_REQUEST
} from '../generated/fbs/index.ts'
import { networkTag } from '../identity/index.ts'
import {
  type Grant,
  type GrantChain,
  openRevocation,
  type Revocation,
  type TrustState,
  whyNot
} from '../trust/index.ts'
import { blameOf, PEER_PROTOCOLS, PeerWire, protocolId } from '../wire/index.ts'
import { ChainTable } from './chain-table.ts'
import { MAX_REVOCATIONS_PER_GUEST, SYNC_INTERVAL_MS } from './constants.ts'
import { Invites } from './invites.ts'
import { RevocationTable } from './revocation-table.ts'
import { Spread } from './spread.ts'
import type { GuestsComponents, GuestsInit, GuestsService } from './types.ts'
import { listGrants } from './verbs/grants.ts'
import { present } from './verbs/present.ts'
import { revoke } from './verbs/revoke.ts'
import { changeTrust } from './verbs/trust.ts'

/** Lifecycle and wiring; each verb has a file of its own. */
export class Guests implements GuestsService {
  readonly [Symbol.toStringTag] = '@beemesh/guests'
  readonly [serviceCapabilities]: string[] = ['@beemesh/guests']
  readonly #components: GuestsComponents
  readonly #init: GuestsInit
  readonly #now: () => number
  readonly #chains: ChainTable
  readonly #revocations: RevocationTable
  readonly #invites: Invites
  readonly #wire: PeerWire
  readonly #spread: Spread
  readonly #log: Logger
  #stop = new AbortController()
  #topology: string | undefined

  constructor(components: GuestsComponents, init: GuestsInit) {
    const { registrar, connectionManager, logger } = components // one by one: libp2p's components throw when they are spread
    const { network, key, store, conduct, now = Date.now } = init
    this.#components = components
    this.#init = init
    this.#now = now
    this.#log = logger.forComponent('beemesh:guests')
    this.#chains = new ChainTable(store, network.id)
    this.#revocations = new RevocationTable(store, network.id, now)
    this.#invites = new Invites({ key, networkId: network.id, store })
    this.#wire = new PeerWire({ registrar, connectionManager, key, network, conduct, now })
    this.#spread = new Spread({
      wire: this.#wire,
      connectionManager,
      isNode: init.isNode ?? (() => true),
      log: this.#log,
      signal: () => this.#stop.signal,
      known: () => this.#revocations.all(),
      digest: () => this.#revocations.digest(),
      take: (bytes, from) => this.#take(bytes, from)
    })
    const context = {
      self: key.publicKey,
      networkId: network.id,
      chains: this.#chains,
      revocations: this.#revocations,
      trust: () => this.trust(),
      add: (revocation: Revocation) => this.#add(revocation),
      changeOwners: init.changeOwners,
      tell: (fresh: readonly Revocation[]) => void this.#spread.tell(fresh)
    }
    init.doors?.open('present', PRESENT_REQUEST, (request) => present(context, request))
    init.doors?.open('revoke', REVOKE_REQUEST, (request) => revoke(context, request))
    init.doors?.open('trust', TRUST_REQUEST, (request) => changeTrust(context, request))
    init.doors?.open('grants', QUERY, (request) => listGrants(context, request))
  }

  async start(): Promise<void> {
    this.#stop = new AbortController()
    await this.#revocations.open()
    const trust = this.trust()
    await this.#chains.open((chain) => whyNot(chain, { roots: trust.owners, ...trust }) === undefined)
    await this.#invites.open(this.#now())
    await this.#spread.start()
    await this.#wire.handle(PEER_PROTOCOLS.redeem, REDEEM, 'redeemed', (asked, from) =>
      this.#redeem(asked, from)
    )
    const { signal } = this.#stop
    const { registrar } = this.#components
    this.#topology = await registrar.register(
      protocolId(networkTag(this.#init.network), PEER_PROTOCOLS.revocations.name),
      {
        notifyOnLimitedConnection: true,
        onConnect: (peer) => {
          // because one comparison serves both, only one side starts it
          if (this.#init.key.peerId < peer.toString()) void this.#spread.sync(peer)
        }
      }
    )
    void repeat(SYNC_INTERVAL_MS, () => this.#spread.syncOne(), {
      signal,
      onError: (error) => this.#log('%e', error)
    })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    if (this.#topology !== undefined) this.#components.registrar.unregister(this.#topology)
    await this.#spread.stop()
    await this.#wire.unhandle(PEER_PROTOCOLS.redeem)
  }

  trust(): TrustState {
    return {
      owners: this.#init.owners,
      successors: this.#init.successors,
      chainsOf: (author) => this.#chains.of(author),
      isRevoked: (link, chain) => this.isRevoked(link, chain),
      nowMs: this.#now()
    }
  }

  isRevoked(link: Grant, chain: GrantChain): boolean {
    return this.#revocations.isRevoked(link, chain)
  }

  revocationsOf(ids: ReadonlySet<string>): readonly Revocation[] {
    return this.#revocations.of(ids)
  }

  /** Revocations from a neighbour. A bad one is dropped and held against it. */
  async #take(bytes: readonly Uint8Array[], from: PeerId): Promise<Revocation[]> {
    const fresh: Revocation[] = []
    for (const one of bytes)
      try {
        const revocation = openRevocation(one, { networkId: this.#init.network.id, nowMs: this.#now() })
        if (await this.#add(revocation)) fresh.push(revocation)
      } catch (error) {
        const code = isBeemeshError(error) ? error.code : 'MESSAGE_MALFORMED'
        this.#init.conduct?.refuse(from, {
          door: 'revocations',
          reason: code.toLowerCase(),
          blame: blameOf(code) ?? 'hostile'
        })
      }
    return fresh
  }

  /** @returns whether it is new, and by somebody whose word may count: else anybody could fill the table */
  async #add(revocation: Revocation): Promise<boolean> {
    const { author } = revocation
    if (!this.#init.owners.has(author)) {
      const isIssuer = this.#chains.of(author).some(({ terms }) => terms.delegations > 0)
      if (!isIssuer || this.#revocations.countOf(author) >= MAX_REVOCATIONS_PER_GUEST) return false
    }
    return this.#revocations.add(revocation)
  }

  async #redeem(asked: Redeem, from: string): Promise<Uint8Array> {
    try {
      const chain = await this.#invites.redeem(asked, from, this.trust())
      this.#log('%s was let in by an invite', from)
      return encodeRedeemed({ chain })
    } catch (error) {
      if (!isBeemeshError(error)) throw error
      this.#log('invite of %s refused: %e', from, error)
      return encodeRedeemed({ code: error.code, message: error.message.slice(0, 500) })
    }
  }
}
