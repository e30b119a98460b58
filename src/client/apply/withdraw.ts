import { encodeDeleteRequest } from '../../generated/fbs/index.ts'
import { fetchHoldings } from '../holders.ts'
import type { DealOptions } from './deal.ts'
import { signTombstone } from './seal.ts'

/**
 * Nothing of it runs, and nothing of it ran before: keepers need not keep it. Nothing is done while any member is away, because it may be
 * running the version before: a new version that is refused on this side of a partition must not delete it there.
 */
export async function withdraw(
  id: Uint8Array,
  version: string,
  { session, nodes, fenceKeepers, signal }: Omit<DealOptions, 'to'> & { fenceKeepers: readonly Uint8Array[] }
): Promise<void> {
  if (nodes.some(({ member, state }) => member && state !== 'alive')) return
  const holdings = await fetchHoldings(session, nodes, { manifestIds: [id], signal })
  const held = holdings.filter(({ manifests }) => manifests.length > 0)
  if (held.some(({ manifests }) => manifests.some(({ workloads }) => workloads.length > 0))) return
  const { key, connection } = session
  const nowMs = Date.now()
  const next = Math.max(Number(version) + 1, nowMs)
  const record = signTombstone(id, {
    key,
    networkId: connection.networkId,
    version: next,
    nowMs,
    fenceKeepers
  })
  const encode = (replyKey: Uint8Array) => encodeDeleteRequest({ record, replyKey })
  for (const { node } of held.slice(0, 1))
    for await (const _body of session.ask(node, 'delete', encode, { signal })) {
      // that it was taken is all there is to know
    }
}
