import type { PeerId } from '@libp2p/interface'
import { isBeemeshError } from '../../common/index.ts'
import { blameOf, type Conduct } from '../../wire/index.ts'
import type { Liveness } from '../detector/liveness.ts'
import type { Dialler } from '../dial/dialler.ts'
import type { MemberEntry, MemberTable } from '../member-table.ts'
import type { NodeEvents } from '../node-events.ts'
import type { NodeView } from '../types.ts'

export interface IntakeInit {
  readonly self: string
  readonly table: MemberTable
  readonly events: NodeEvents
  readonly liveness: Liveness
  readonly dialler: Dialler
  readonly conduct: Conduct
  readonly onUpdate: (entry: MemberEntry) => void
  /** What this node itself said once, as others know it. */
  readonly onOwn: (node: NodeView) => void
}

/** What others say of themselves, by gossip or by exchange, and what follows when it is new. */
export class Intake {
  readonly #init: IntakeInit
  /** A node that leaves learns nothing more. */
  closed = false

  constructor(init: IntakeInit) {
    this.#init = init
  }

  /** What a neighbour knows; a bad statement is dropped, it says nothing about the others in the same list. */
  merge(statements: readonly Uint8Array[], from: PeerId): void {
    const { table, conduct } = this.#init
    for (const statement of statements)
      try {
        this.take(table.open(statement))
      } catch (error) {
        const code = isBeemeshError(error) ? error.code : 'MESSAGE_MALFORMED'
        const blame = blameOf(code) ?? 'hostile' // because whoever passes one on has checked it
        conduct.refuse(from, { door: 'exchange', reason: code.toLowerCase(), blame })
      }
  }

  /** @returns false when more is known already */
  take(node: NodeView): boolean {
    const { self, table, events, liveness, dialler, onUpdate, onOwn } = this.#init
    if (this.closed) return true
    if (node.peerId === self) {
      onOwn(node)
      return true
    }
    const before = table.get(node.peerId)
    const entry = table.take(node)
    if (entry === undefined) return table.get(node.peerId)?.issuedAtMs === node.issuedAtMs
    events.said(entry, before)
    liveness.said(entry)
    onUpdate(entry)
    if (!entry.leaving && !dialler.isConnected(entry.peerId) && entry.addresses.length > 0)
      dialler.soon(entry.peerId)
    return true
  }
}
