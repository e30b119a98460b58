import { encodeProviderList, type Query } from '../generated/fbs/index.ts'
import type { OwnerRequest } from '../wire/index.ts'
import { CLOCK_SKEW_MS, MAX_LIST_BYTES, MAX_PROVIDERS } from './constants.ts'
import type { FindOptions, ProviderView } from './types.ts'

/**
 * Whether whoever is given this statement can still check it. A lease is renewed by messages that carry none, so what counts as running
 * here may rest on a statement that is over for others.
 */
export function canBeChecked({ source, leaseUntilMs }: ProviderView, nowMs: number): boolean {
  return source === 'stale' || leaseUntilMs + CLOCK_SKEW_MS / 2 > nowMs
}

/** Answers an owner: one list for each manifest asked for. */
export async function answerOwner(
  { payload, reply, signal }: OwnerRequest<Query>,
  find: (manifestId: Uint8Array, options: FindOptions) => Promise<ProviderView[]>,
  now: () => number
): Promise<void> {
  const ids = payload.manifestIds.map(({ value }) => value).filter((id) => id.byteLength === 36)
  const answers = await Promise.all(
    ids.map(async (manifestId) => {
      const known = await find(manifestId, { signal })
      const isGood = (view: ProviderView) => canBeChecked(view, now())
      const found = known.every(isGood) ? known : await find(manifestId, { signal, fresh: true })
      return { manifestId, found: found.filter(isGood) }
    })
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
