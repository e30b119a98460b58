import { encodeMemberList, type MemberInit } from '../generated/fbs/index.ts'
import type { OwnerRequest } from '../wire/index.ts'
import { MAX_REVOCATIONS_SHOWN, STATEMENTS_PER_FRAME } from './constants.ts'
import type { MembersInit, MemberView } from './types.ts'

/** Everybody this node has heard of, itself first, what it thinks of each, and which of their grants were revoked. */
export async function answerOwner(
  { reply, signal }: OwnerRequest<unknown>,
  members: readonly MemberView[],
  revocationsOf: MembersInit['revocationsOf'] = () => []
): Promise<void> {
  for (let from = 0; from === 0 || from < members.length; from += STATEMENTS_PER_FRAME) {
    const page = members.slice(from, from + STATEMENTS_PER_FRAME)
    const last = from + STATEMENTS_PER_FRAME >= members.length
    const grants = page.flatMap(({ memberships }) =>
      memberships.flatMap(({ chain }) => chain.links.map(({ id }) => id))
    )
    const revocations = revocationsOf(new Set(grants)).slice(0, MAX_REVOCATIONS_SHOWN)
    const body = encodeMemberList({
      members: page.map(toMember),
      revocations: revocations.map(({ bytes }) => ({ value: bytes }))
    })
    await reply.send(body, { last, signal })
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
