import { equalBytes } from '../common/index.ts'
import type { MemberState, NodeEventType } from '../generated/fbs/index.ts'
import { MAX_NODE_EVENTS } from './constants.ts'
import type { NodeEvent, NodeView } from './types.ts'

/** What happened to other nodes, from what they say of themselves and from what the detector finds. No I/O. */
export class NodeEvents {
  readonly #now: () => number
  readonly #onEvent: (event: NodeEvent) => void
  readonly #recent: NodeEvent[] = []
  /** The last of each node. */
  readonly #last = new Map<string, NodeEventType>()

  constructor({ now, onEvent }: { now: () => number; onEvent: (event: NodeEvent) => void }) {
    this.#now = now
    this.#onEvent = onEvent
  }

  recent(): readonly NodeEvent[] {
    return this.#recent
  }

  /** @param before what was known of it until now */
  said(node: NodeView, before: NodeView | undefined): void {
    if (node.leaving) {
      if (before !== undefined && !before.leaving) this.#add('left', node, node.issuedAtMs)
      return
    }
    const isNew = before === undefined || before.leaving || !equalBytes(before.bootId, node.bootId)
    if (isNew) this.#add('joined', node, node.startedAtMs ?? this.#now())
  }

  became(state: MemberState, node: Pick<NodeView, 'peerId' | 'name'>): void {
    const last = this.#last.get(node.peerId)
    if (state === 'dead' && last !== 'left' && last !== 'dead') this.#add('dead', node, this.#now())
    if (state === 'alive' && last === 'dead') this.#add('back', node, this.#now())
  }

  forget(peerId: string): void {
    this.#last.delete(peerId)
  }

  #add(type: NodeEventType, { peerId, name }: Pick<NodeView, 'peerId' | 'name'>, atMs: number): void {
    const event = { type, atMs, peerId, name }
    this.#last.set(peerId, type)
    this.#recent.push(event)
    if (this.#recent.length > MAX_NODE_EVENTS) this.#recent.shift()
    this.#onEvent(event)
  }
}
