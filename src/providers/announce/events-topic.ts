import type { Logger } from '@libp2p/interface'
import { type Network, networkTag } from '../../identity/index.ts'
import { type Conduct, JudgedTopic } from '../../wire/index.ts'
import { GOSSIP_BUDGET } from '../constants.ts'
import { MAX_STATEMENT_BYTES, openProviderStatement } from '../provider-statement.ts'
import type { ProviderView } from '../types.ts'

export interface EventsTopicInit {
  readonly network: Network
  readonly isMember: (peerId: string) => boolean
  readonly take: (view: ProviderView) => boolean
  readonly conduct: Conduct
  readonly now: () => number
  readonly log: Logger
}

/** What members say of the manifests they run, spread the moment it changes. */
export function eventsTopic({ network, isMember, now, ...init }: EventsTopicInit): JudgedTopic<ProviderView> {
  return new JudgedTopic({
    topic: `/beemesh/${networkTag(network)}/events`,
    name: 'events',
    maxBytes: MAX_STATEMENT_BYTES,
    authorBudget: GOSSIP_BUDGET,
    isKnown: isMember,
    open: (data) => openProviderStatement(data, { networkId: network.id, nowMs: now(), source: 'peer' }),
    now,
    ...init
  })
}
