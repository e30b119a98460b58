import { isBeemeshError } from '../../common/index.ts'
import { encodeGrantList, type RevokeRequest } from '../../generated/fbs/index.ts'
import { openRevocation, type Revocation } from '../../trust/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import type { GuestsContext } from './context.ts'

/** Takes revocations, and passes them on. Who signed them counts, not who brings them. */
export async function revoke(
  context: GuestsContext,
  { payload, reply, signal }: OwnerRequest<RevokeRequest>
): Promise<void> {
  const refused: string[] = []
  const fresh: Revocation[] = []
  const kept: Revocation[] = []
  for (const { value } of payload.revocations)
    try {
      const revocation = openRevocation(value, { networkId: context.networkId, nowMs: context.trust().nowMs })
      if (await context.add(revocation)) fresh.push(revocation)
      if (
        context.revocations.of(new Set([revocation.grant])).some(({ author }) => author === revocation.author)
      )
        kept.push(revocation)
      else refused.push(`the word of ${revocation.author} does not count here, or there is no room`)
    } catch (error) {
      if (!isBeemeshError(error)) throw error
      refused.push(error.message.slice(0, 300))
    }
  if (fresh.length > 0) context.tell(fresh)
  const revocations = kept.map(({ bytes }) => ({ value: bytes }))
  await reply.send(encodeGrantList({ revocations, refused }), { last: true, signal })
}
