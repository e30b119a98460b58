import type { Abortable } from '../../common/index.ts'
import { decode } from '../../envelope/index.ts'
import { encodeQuery, PROVIDER_LIST } from '../../generated/fbs/index.ts'
import { formatManifestId } from '../../manifest/index.ts'
import { openProviderStatement, type ProviderView } from '../../providers/index.ts'
import type { Session } from '../connection/session.ts'
import type { FoundProvider } from '../types.ts'
import { toFound } from '../views.ts'
import { candidates, onlyOne } from './references.ts'

/** Who runs a manifest, found by the entry node, each statement checked here. */
export async function findProviders(
  session: Session,
  ref: string,
  { namespace, signal }: Abortable & { readonly namespace: string }
): Promise<{ manifestId: string; providers: FoundProvider[] }> {
  const wanted = candidates(session, ref, namespace)
  const manifestIds = wanted.map(({ manifestId: value }) => ({ value }))
  const encode = (replyKey: Uint8Array) => encodeQuery({ replyKey, manifestIds })
  const found: { id: string; kind?: string; name?: string; views: ProviderView[] }[] = []
  for await (const body of session.ask(session.entry, 'providers', encode, { signal })) {
    const { manifestId, providers } = decode(PROVIDER_LIST, body)
    const context = { manifestId, networkId: session.connection.networkId, nowMs: Date.now() }
    const views = providers.flatMap(({ statement, source }) => {
      try {
        return [openProviderStatement(statement, { ...context, source })]
      } catch {
        return [] // because the entry node passes on what others say; what does not verify was not said
      }
    })
    const id = formatManifestId(manifestId)
    const candidate = wanted.find((one) => formatManifestId(one.manifestId) === id)
    if (views.length > 0) found.push({ id, ...candidate, views })
  }
  const one = onlyOne(ref, found)
  // because nobody can tell "never existed" from "stopped": a name that nobody provides is an empty answer
  if (one === undefined) return { manifestId: formatManifestId(wanted[0]!.manifestId), providers: [] }
  return { manifestId: one.id, providers: one.views.flatMap(toFound) }
}
