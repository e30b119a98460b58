import type { Logger, PeerId } from '@libp2p/interface'
import { isBeemeshError } from '../../common/index.ts'
import { type Blame, blameOf } from '../conduct/blame.ts'
import type { Conduct } from '../conduct/conduct.ts'
import { Budget, type BudgetLimits } from '../doors/budget.ts'
import type { Gossip, GossipJudge, GossipMessage, GossipVerdict } from './types.ts'

export interface JudgedTopicInit<T extends { readonly peerId: string }> {
  /** Full name. */
  readonly topic: string
  /** Short name, for what is counted. */
  readonly name: string
  readonly maxBytes: number
  /** Statements one author may spread. */
  readonly authorBudget: BudgetLimits
  /** Statements of all authors that are not known, together. @default none: they are ignored */
  readonly strangerBudget?: BudgetLimits
  readonly isKnown: (peerId: string) => boolean
  /** Checks signature, structure and time. @throws BeemeshError */
  readonly open: (data: Uint8Array) => T
  /** Takes a statement that passed; false when it is older than what is known, so that it goes no further. */
  readonly take: (view: T) => boolean
  readonly conduct: Conduct
  readonly now: () => number
  readonly log: Logger
}

/**
 * A topic on which each node speaks for itself only, in signed statements. Each is judged before it is passed on, cheapest first: size,
 * author (the one who published it), budget, signature, structure, time. Nothing may depend on gossip: what is said here can be asked for.
 */
export class JudgedTopic<T extends { readonly peerId: string }> {
  readonly #init: JudgedTopicInit<T>
  readonly #authors: Budget
  /** What one neighbour passes on of one author: an honest one keeps to the same limit, so that it is not to blame for the sum of all. */
  readonly #passedOn: Budget
  readonly #strangers: Budget | undefined
  #pubsub: Gossip | undefined

  constructor(init: JudgedTopicInit<T>) {
    this.#init = init
    this.#authors = new Budget(init.authorBudget, init.now)
    this.#passedOn = new Budget(init.authorBudget, init.now)
    this.#strangers = init.strangerBudget && new Budget(init.strangerBudget, init.now)
  }

  start(pubsub: Gossip): void {
    this.#pubsub = pubsub
    const judge: GossipJudge = (neighbour, message) => this.judge(neighbour, message)
    pubsub.topicValidators?.set(this.#init.topic, judge as never)
    pubsub.subscribe(this.#init.topic)
  }

  stop(): void {
    this.#pubsub?.unsubscribe(this.#init.topic)
    this.#pubsub?.topicValidators?.delete(this.#init.topic)
    this.#pubsub = undefined
  }

  /** To everybody; nothing happens before {@link start}. */
  publish(statement: Uint8Array): void {
    this.#pubsub
      ?.publish(this.#init.topic, statement)
      .catch((error: unknown) => this.#init.log('gossip: %e', error))
  }

  judge(neighbour: PeerId, { data, from }: GossipMessage): GossipVerdict {
    const { maxBytes, isKnown, open, take } = this.#init
    const author = from?.toString()
    if (data.byteLength > maxBytes) return this.#refuse(neighbour, 'too_large', 'hostile')
    if (author === undefined) return this.#refuse(neighbour, 'unsigned', 'hostile')
    // not held against the neighbour, which may know more members than this node
    if (!isKnown(author) && this.#strangers?.take('') !== true)
      return this.#refuse(neighbour, 'unknown_author', 'useless')
    if (!this.#passedOn.take(`${neighbour} ${author}`)) return this.#refuse(neighbour, 'too_many', 'useless')
    if (!this.#authors.take(author)) return this.#refuse(undefined, 'too_many', 'useless')
    try {
      const view = open(data)
      if (view.peerId !== author) return this.#refuse(neighbour, 'wrong_author', 'hostile')
      return take(view) ? 'accept' : this.#refuse(neighbour, 'old', 'useless')
    } catch (error) {
      if (!isBeemeshError(error)) return this.#refuse(neighbour, 'malformed', 'hostile')
      return this.#refuse(neighbour, error.code.toLowerCase(), blameOf(error.code) ?? 'hostile')
    }
  }

  #refuse(neighbour: PeerId | undefined, reason: string, blame: Blame): GossipVerdict {
    this.#init.conduct.refuse(neighbour, { door: this.#init.name, reason, blame })
    return blame === 'hostile' ? 'reject' : 'ignore'
  }
}
