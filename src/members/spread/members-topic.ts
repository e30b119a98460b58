import type { Logger } from '@libp2p/interface'
import { type Network, networkTag } from '../../identity/index.ts'
import { type Conduct, JudgedTopic } from '../../wire/index.ts'
import { GOSSIP_BUDGET, MAX_STATEMENT_BYTES, NEWCOMER_BUDGET } from '../constants.ts'
import type { MemberTable } from '../member-table.ts'
import type { NodeView } from '../types.ts'

export interface MembersTopicInit {
  readonly network: Network
  readonly table: MemberTable
  readonly take: (node: NodeView) => boolean
  readonly conduct: Conduct
  readonly now: () => number
  readonly log: Logger
}

/** What nodes say of themselves, spread at once. Newcomers may speak, too, all together a few times a second. */
export function membersTopic({ network, table, ...init }: MembersTopicInit): JudgedTopic<NodeView> {
  return new JudgedTopic({
    topic: `/beemesh/${networkTag(network)}/members`,
    name: 'members',
    maxBytes: MAX_STATEMENT_BYTES,
    authorBudget: GOSSIP_BUDGET,
    strangerBudget: NEWCOMER_BUDGET,
    isKnown: (peerId) => table.get(peerId) !== undefined,
    open: (data) => table.open(data),
    ...init
  })
}
