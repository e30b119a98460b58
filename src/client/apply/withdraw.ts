import { encodeDeleteRequest } from '../../generated/fbs/index.ts'
import { fetchHoldings } from '../holders.ts'
import type { DealOptions } from './deal.ts'
import { signTombstone } from './seal.ts'

/**
 * Nothing of it runs, and nothing of it ran before: keepers need not keep it. What cannot be reached now is told by the others later.
 */
export async function withdraw(
  id: Uint8Array,
  version: string,
  { session, nodes, signal }: Omit<DealOptions, 'to'>
): Promise<void> {
  const holdings = await fetchHoldings(session, nodes, { manifestIds: [id], signal })
  const held = holdings.filter(({ manifests }) => manifests.length > 0)
  if (held.some(({ manifests }) => manifests.some(({ workloads }) => workloads.length > 0))) return
  const { key, connection } = session
  const nowMs = Date.now()
  const next = Math.max(Number(version) + 1, nowMs)
  const record = signTombstone(id, { key, networkId: connection.networkId, version: next, nowMs })
  const encode = (replyKey: Uint8Array) => encodeDeleteRequest({ record, replyKey })
  for (const { node } of held.slice(0, 1))
    for await (const _body of session.ask(node, 'delete', encode, { signal })) {
      // that it was taken is all there is to know
    }
}
