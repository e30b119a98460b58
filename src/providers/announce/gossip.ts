import type { CounterGroup, Logger, PeerId } from '@libp2p/interface'
import { isBeemeshError } from '../../common/index.ts'
import { type Network, networkTag } from '../../identity/index.ts'
import type { Gossip, GossipJudge, GossipVerdict } from '../../members/index.ts'
import { Budget } from '../../wire/index.ts'
import { BAD_GOSSIP_BUDGET, GOSSIP_BUDGET, USELESS_GOSSIP_BUDGET } from '../constants.ts'
import { MAX_STATEMENT_BYTES, openProviderStatement } from '../provider-statement.ts'
import type { ProviderView } from '../types.ts'

export interface ProviderGossipInit {
  readonly network: Network
  readonly now: () => number
  readonly log: Logger
  /** Whether a peer ID is a member of this network. */
  readonly isMember: (peerId: string) => boolean
  readonly onStatement: (view: ProviderView) => void
  /** A neighbour passes on what cannot be right, again and again. */
  readonly onHostile: (peer: PeerId) => void
  /** Refusals by reason. */
  readonly refused?: CounterGroup
}

/**
 * Statements of providers spread by gossip the moment they change. Each is judged before it is passed on: size, author (the one who
 * published it, and a member), budget, signature, time. Nothing depends on it: without gossip others learn the same by asking.
 */
export class ProviderGossip {
  readonly #init: ProviderGossipInit
  readonly #budget: Budget
  readonly #bad: Budget
  readonly #useless: Budget
  #pubsub: Gossip | undefined

  constructor(init: ProviderGossipInit) {
    this.#init = init
    this.#budget = new Budget(GOSSIP_BUDGET, init.now)
    this.#bad = new Budget(BAD_GOSSIP_BUDGET, init.now)
    this.#useless = new Budget(USELESS_GOSSIP_BUDGET, init.now)
  }

  start(pubsub: Gossip): void {
    this.#pubsub = pubsub
    const judge: GossipJudge = (neighbour, message) => this.judge(neighbour, message)
    pubsub.topicValidators?.set(this.#topic, judge as never)
    pubsub.subscribe(this.#topic)
  }

  stop(): void {
    this.#pubsub?.unsubscribe(this.#topic)
    this.#pubsub?.topicValidators?.delete(this.#topic)
    this.#pubsub = undefined
  }

  publish(statement: Uint8Array): void {
    this.#pubsub
      ?.publish(this.#topic, statement)
      .catch((error: unknown) => this.#init.log('gossip: %e', error))
  }

  /** @param neighbour who passed it on */
  judge(neighbour: PeerId, message: { readonly data: Uint8Array; readonly from?: PeerId }): GossipVerdict {
    const { network, now, isMember, onStatement } = this.#init
    const author = message.from?.toString()
    if (message.data.byteLength > MAX_STATEMENT_BYTES) return this.#refuse(neighbour, 'too_large')
    if (author === undefined) return this.#refuse(neighbour, 'unsigned')
    // not held against the neighbour, which may know more members than this node
    if (!isMember(author)) return this.#ignore(neighbour, 'unknown_author')
    if (!this.#budget.take(author)) return this.#ignore(neighbour, 'too_many')
    try {
      const context = { networkId: network.id, nowMs: now(), source: 'peer' } as const
      const view = openProviderStatement(message.data, context)
      if (view.peerId !== author) return this.#refuse(neighbour, 'wrong_author')
      onStatement(view)
      return 'accept'
    } catch (error) {
      if (isBeemeshError(error) && error.code === 'PROVIDER_STATEMENT_INVALID')
        return this.#ignore(neighbour, 'stale')
      return this.#refuse(neighbour, isBeemeshError(error) ? error.code.toLowerCase() : 'malformed')
    }
  }

  get #topic(): string {
    return `/beemesh/${networkTag(this.#init.network)}/events`
  }

  #ignore(neighbour: PeerId, reason: string): GossipVerdict {
    this.#init.refused?.increment({ [reason]: 1 })
    // a neighbour that passes on little else costs a signature check each time
    if (!this.#useless.take(neighbour.toString())) this.#init.onHostile(neighbour)
    return 'ignore'
  }

  #refuse(neighbour: PeerId, reason: string): GossipVerdict {
    this.#init.refused?.increment({ [reason]: 1 })
    const id = neighbour.toString()
    if (!this.#bad.take(id)) this.#init.onHostile(neighbour)
    return 'reject'
  }
}
