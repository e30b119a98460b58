import type { ConnectionGater, CounterGroup, Metrics, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { Budget, type BudgetLimits } from '../doors/budget.ts'
import { type Blame, blameOf } from './blame.ts'
import { Knocking } from './knocking.ts'
import { Penalties } from './penalties.ts'

/** What cannot be right, from one neighbour, before its connections are closed: honest ones send none. Chosen. */
export const HOSTILE_BUDGET = { burst: 50, perSecond: 1 } as const
/** The same of what is of no use here (strangers, old words, too much): a newcomer's neighbours pass on some. Chosen. */
export const USELESS_BUDGET = { burst: 500, perSecond: 50 } as const
/**
 * The same of requests at the doors, from whoever is no member: nobody passes those on, and each is a stream of its own, which costs a thousand
 * times what refusing it does. Chosen.
 */
export const USELESS_REQUEST_BUDGET = { burst: 100, perSecond: 10 } as const

export interface Refusal {
  /** Which way it came, for the count: a protocol's or a topic's short name. */
  readonly door: string
  /** Lower case with underscores, from a closed set: it becomes a label of a metric. */
  readonly reason: string
  /** undefined: the request was honest and could not be fulfilled; it is only counted. */
  readonly blame: Blame | undefined
}

/** What {@link Conduct} needs of a libp2p node. */
export interface ConductHost {
  /** Closes the connections to a node. */
  disconnect(peer: PeerId): Promise<unknown>
  readonly metrics?: Metrics
}

/**
 * How the nodes at the other ends of our connections behave: every refusal is counted by reason, and who goes on sending what cannot be
 * right is sent away, for longer each time. One a node, shared by all its services, so that no door gives a fresh start.
 */
export class Conduct {
  /** For `createLibp2p({ connectionGater })`: who was sent away is not let in again before its time. */
  readonly gater: ConnectionGater
  /** What each node may ask, of each kind of question. @default PEER_BUDGET of PeerWire */
  readonly nodeBudget: BudgetLimits | undefined
  readonly #hostile: Budget
  readonly #useless: Budget
  readonly #uselessRequests: Budget
  readonly #bans: Penalties
  readonly #onRefused: ((peerId: string | undefined, refusal: Refusal) => void) | undefined
  #host: ConductHost | undefined
  #refused: CounterGroup<string> | undefined
  #sentAway: CounterGroup<string> | undefined

  /** @param onRefused called for each message between nodes that was refused; requests of owners have {@link DoorsInit.onRefused} */
  constructor({
    now = Date.now,
    host,
    nodeBudget,
    onRefused
  }: {
    readonly now?: () => number
    readonly host?: ConductHost
    readonly nodeBudget?: BudgetLimits
    readonly onRefused?: (peerId: string | undefined, refusal: Refusal) => void
  } = {}) {
    this.nodeBudget = nodeBudget
    this.#onRefused = onRefused
    this.#hostile = new Budget(HOSTILE_BUDGET, now)
    this.#useless = new Budget(USELESS_BUDGET, now)
    this.#uselessRequests = new Budget(USELESS_REQUEST_BUDGET, now)
    this.#bans = new Penalties(now)
    const knocking = new Knocking(now)
    const isBanned = (peer: PeerId) => this.#bans.has(peer.toString())
    this.gater = {
      denyDialPeer: isBanned,
      denyInboundConnection: ({ remoteAddr }) => !knocking.admits(remoteAddr),
      denyInboundEncryptedConnection: (peer, { remoteAddr }) => {
        if (!isBanned(peer)) return false
        knocking.knocked(remoteAddr)
        return true
      },
      denyOutboundEncryptedConnection: isBanned
    }
    if (host !== undefined) this.attach(host)
  }

  /** Because the host is made with the gater, and so after this. */
  attach(host: ConductHost): void {
    this.#host = host
    this.#refused = host.metrics?.registerCounterGroup('beemesh_refused_total', {
      label: 'reason',
      help: 'Messages refused, by the way they came and why'
    })
    this.#sentAway = host.metrics?.registerCounterGroup('beemesh_sent_away_total', {
      label: 'door',
      help: 'Neighbours whose connections were closed because of what they sent, by the way it came'
    })
  }

  /** @param peer whom it is held against; undefined: nobody, it is only counted */
  refuse(peer: PeerId | undefined, refusal: Refusal): void {
    this.#onRefused?.(peer?.toString(), refusal)
    this.#hold(peer, refusal, this.#useless)
  }

  #hold(peer: PeerId | undefined, { door, reason, blame }: Refusal, useless: Budget): void {
    this.#refused?.increment({ [`${door}:${reason}`]: 1 })
    if (peer === undefined || blame === undefined) return
    const id = peer.toString()
    if ((blame === 'hostile' ? this.#hostile : useless).take(id)) return
    if (!this.#bans.has(id)) {
      this.#bans.strike(id)
      this.#sentAway?.increment({ [door]: 1 })
    }
    // also when it is banned already: what it sent before its connection closed is still coming in
    this.#host?.disconnect(peer).catch(() => {})
  }

  /**
   * A request that a door refused. Not held against members, because they carry what others signed.
   * @param transport the connection's peer ID, or "local"
   */
  refuseRequest(
    { transport, protocol, code }: { transport: string; protocol: string; code: string },
    isMember: (peerId: string) => boolean
  ): void {
    const peer = transport === 'local' || isMember(transport) ? undefined : peerIdFromString(transport)
    const refusal = { door: protocol, reason: code.toLowerCase(), blame: blameOf(code) }
    this.#hold(peer, refusal, this.#uselessRequests)
  }

  /** Whether this node was sent away and its time is not over. */
  isBanned(peerId: string): boolean {
    return this.#bans.has(peerId)
  }
}
