import type { Abortable } from '../common/index.ts'
import { encodeProviderList, type Query } from '../generated/fbs/index.ts'
import type { OwnerRequest } from '../wire/index.ts'
import { MAX_LIST_BYTES, MAX_PROVIDERS } from './constants.ts'
import type { ProviderView } from './types.ts'

/** Answers an owner: one list for each manifest asked for. */
export async function answerOwner(
  { payload, reply, signal }: OwnerRequest<Query>,
  find: (manifestId: Uint8Array, options: Abortable) => Promise<ProviderView[]>
): Promise<void> {
  const ids = payload.manifestIds.map(({ value }) => value).filter((id) => id.byteLength === 36)
  const answers = await Promise.all(
    ids.map(async (manifestId) => ({ manifestId, found: await find(manifestId, { signal }) }))
  )
  for (const [index, { manifestId, found }] of answers.entries())
    await reply.send(listFor(manifestId, found), {
      last: index === ids.length - 1,
      signal
    })
  if (ids.length === 0)
    await reply.send(encodeProviderList({ manifestId: new Uint8Array(36) }), { last: true })
}

/** A ProviderList of as many statements as one frame takes, best first. @param hints public keys */
export function listFor(
  manifestId: Uint8Array,
  views: readonly ProviderView[],
  hints: readonly Uint8Array[] = []
): Uint8Array {
  let bytes = 0
  const providers = views
    .slice(0, MAX_PROVIDERS)
    .filter(({ statement }) => {
      bytes += statement.byteLength
      return bytes <= MAX_LIST_BYTES
    })
    .map(({ statement, source }) => ({ statement, source }))
  return encodeProviderList({ manifestId, providers, hints: hints.map((value) => ({ value })) })
}
