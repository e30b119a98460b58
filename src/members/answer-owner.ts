import { encodeMemberList, type MemberInit } from '../generated/fbs/index.ts'
import type { OwnerRequest } from '../wire/index.ts'
import { STATEMENTS_PER_FRAME } from './constants.ts'
import type { MemberView } from './types.ts'

/** Everybody this node has heard of, itself first, and what it thinks of each. */
export async function answerOwner(
  { reply, signal }: OwnerRequest<unknown>,
  members: readonly MemberView[]
): Promise<void> {
  for (let from = 0; from === 0 || from < members.length; from += STATEMENTS_PER_FRAME) {
    const page = members.slice(from, from + STATEMENTS_PER_FRAME)
    const last = from + STATEMENTS_PER_FRAME >= members.length
    await reply.send(encodeMemberList({ members: page.map(toMember) }), { last, signal })
  }
}

function toMember({ statement, lastSeenMs, connected, relayed, roundTripMs, state }: MemberView): MemberInit {
  return {
    statement,
    lastSeen: lastSeenMs,
    connected,
    relayed,
    roundTripMs: Math.round(roundTripMs ?? 0),
    state
  }
}
