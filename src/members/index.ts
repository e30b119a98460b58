/**
 * Who is here: each node's signed statement of itself (name, addresses, engines, sealing key, membership), spread by
 * exchange between connected nodes and by gossip. Stands apart because everybody reads it. Never chooses.
 *
 * @example
 * ```ts
 * const node = await createLibp2p({ services: { identify: identify(), members: members({ network, describe }) } })
 * for (const { name, peerId } of node.services.members.list()) console.log(name, peerId)
 * ```
 */
import { Members } from './members.ts'
import type { MembersComponents, MembersInit, MembersService } from './types.ts'

export { dialMember } from './dial/dial-member.ts'
export { MEMBERS_ERROR_CODES, MembersError, type MembersErrorCode } from './errors.ts'
export { openNodeStatement, signNodeStatement } from './node-statement.ts'
export type {
  MemberChange,
  MembersEvents,
  MembersInit,
  MembersService,
  MemberView,
  NodeEvent,
  NodeView,
  SelfDescription
} from './types.ts'

/** The service, for `createLibp2p({ services })`. Needs identify; with `gossip`, a pubsub service called `pubsub`. */
export function members(init: MembersInit): (components: MembersComponents) => MembersService {
  return (components) => new Members(components, init)
}
