import { parseManifestId, type WorkloadKind } from '../../manifest/index.ts'
import { idOf } from '../apply/seal.ts'
import type { Session } from '../connection/session.ts'
import { ClientError } from '../errors.ts'

/** Kinds a name may belong to; all IDs are computed, because only the owner can. */
const KINDS = ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'] as const
const ALIASES: Readonly<Record<string, (typeof KINDS)[number]>> = {
  po: 'Pod',
  deploy: 'Deployment',
  sts: 'StatefulSet',
  ds: 'DaemonSet',
  cj: 'CronJob'
}

/** A manifest that a REF may mean. */
export interface Candidate {
  readonly manifestId: Uint8Array
  /** undefined when the REF is a manifest ID. */
  readonly kind?: string
  readonly name?: string
}

/** What a REF may mean: a manifest ID is itself, kind/name is one ID, a bare name one ID for each kind. @throws ClientError REF_NOT_FOUND */
export function candidates(session: Session, ref: string, namespace: string): Candidate[] {
  const id = parseManifestId(ref)
  if (id !== undefined) return [{ manifestId: id }]
  const [first = '', second, more] = ref.split('/')
  if (more !== undefined || ref === '')
    throw notFound(ref, 'it is neither a manifest ID, kind/name nor a name')
  const { networkId } = session.connection
  const candidate = (kind: string, name: string): Candidate => ({
    manifestId: idOf(session.key, networkId, { namespace, kind: kind as WorkloadKind, name }).id,
    kind,
    name
  })
  if (second === undefined) return KINDS.map((kind) => candidate(kind, first))
  const kind = toKind(first)
  if (kind === undefined) throw notFound(ref, `"${first}" is no kind of workload`)
  return [candidate(kind, second)]
}

function toKind(text: string): string | undefined {
  const lower = text.toLowerCase().replace(/s$/, '')
  return (
    ALIASES[text.toLowerCase()] ??
    KINDS.find((kind) => kind.toLowerCase() === lower || kind.toLowerCase() === text.toLowerCase())
  )
}

/** @returns the only one. @throws ClientError REF_AMBIGUOUS with the candidates */
export function onlyOne<T extends { readonly id: string; readonly kind?: string; readonly name?: string }>(
  ref: string,
  found: readonly T[]
): T | undefined {
  if (found.length <= 1) return found[0]
  throw new ClientError('REF_AMBIGUOUS', `${ref} may mean ${found.length} manifests`, {
    details: { candidates: found.map(({ id, kind, name }) => ({ manifestId: id, ref: `${kind}/${name}` })) },
    hint: `Say which kind: ${found.map(({ kind, name }) => `${kind}/${name}`).join(' or ')}.`
  })
}

export function notFound(ref: string, why = 'no node that answers holds it'): ClientError {
  return new ClientError('REF_NOT_FOUND', `${ref} is not found: ${why}`, {
    hint: 'List what runs with "beemesh get workloads"; another --namespace or --identity has other names.'
  })
}
