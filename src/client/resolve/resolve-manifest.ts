import type { Abortable } from '../../common/index.ts'
import { formatManifestId } from '../../manifest/index.ts'
import { WireError } from '../../wire/index.ts'
import type { Session } from '../connection/session.ts'
import { byManifest, fetchHoldings, type HeldManifest } from '../holders.ts'
import type { SeenNode } from '../nodes.ts'
import { silentOf } from '../views.ts'
import { type Candidate, candidates, notFound, onlyOne } from './references.ts'

/** A manifest with who holds it, and who did not answer. */
export type FoundManifest = HeldManifest & { readonly silent: readonly SeenNode[] }

/** @throws ClientError REF_NOT_FOUND, REF_AMBIGUOUS; WireError NODE_UNREACHABLE when some nodes did not answer */
export async function resolveManifest(
  session: Session,
  ref: string,
  {
    namespace,
    nodes,
    signal
  }: Abortable & { readonly namespace: string; readonly nodes: () => Promise<SeenNode[]> }
): Promise<FoundManifest> {
  const wanted = candidates(session, ref, namespace)
  const manifestIds = wanted.map(({ manifestId }) => manifestId)
  const holdings = await fetchHoldings(session, await nodes(), { manifestIds, signal })
  const found = byManifest(holdings).map((held) => named(held, wanted, namespace))
  const one = onlyOne(ref, found)
  const silent = silentOf(holdings)
  if (one !== undefined) return { ...one, silent }
  if (silent.length === 0) throw notFound(ref)
  // because "not found" would read as "gone", and nobody knows what the silent ones hold
  const names = silent.map(({ name }) => name)
  throw new WireError(
    'NODE_UNREACHABLE',
    `no node that answers holds ${ref}; ${names.join(', ')} did not answer`,
    {
      details: { unanswered: names },
      retryable: true,
      hint: 'See who is connected with "beemesh get nodes".'
    }
  )
}

/** Keepers cannot tell kind and name; whoever asked by name knows them. */
function named(
  held: HeldManifest,
  wanted: readonly Candidate[],
  asked: string
): HeldManifest & { kind: string; name: string } {
  const { manifest } = held
  const candidate = wanted.find(({ manifestId }) => formatManifestId(manifestId) === held.id)
  const kind = manifest.kind || (candidate?.kind ?? '')
  const name = manifest.name || (candidate?.name ?? '')
  const namespace = manifest.namespace || asked
  return { ...held, kind, name, manifest: { ...manifest, kind, name, namespace } }
}
