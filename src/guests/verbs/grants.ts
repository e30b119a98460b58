import { encodeGrantList, type Query } from '../../generated/fbs/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import { CHAINS_PER_FRAME, REVOCATIONS_PER_FRAME } from '../constants.ts'
import type { GuestsContext } from './context.ts'

/** Every grant that was shown to this node, and every revocation it knows. */
export async function listGrants(
  { chains, revocations }: GuestsContext,
  { reply, signal }: OwnerRequest<Query>
): Promise<void> {
  const all = chains.all().map(({ bytes }) => ({ value: bytes }))
  const revoked = revocations.all().map(({ bytes }) => ({ value: bytes }))
  const frames = Math.max(
    1,
    Math.ceil(all.length / CHAINS_PER_FRAME),
    Math.ceil(revoked.length / REVOCATIONS_PER_FRAME)
  )
  for (let frame = 0; frame < frames; frame++) {
    const body = encodeGrantList({
      chains: all.slice(frame * CHAINS_PER_FRAME, (frame + 1) * CHAINS_PER_FRAME),
      revocations: revoked.slice(frame * REVOCATIONS_PER_FRAME, (frame + 1) * REVOCATIONS_PER_FRAME)
    })
    await reply.send(body, { last: frame === frames - 1, signal })
  }
}
