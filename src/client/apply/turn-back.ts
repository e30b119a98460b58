import type { Abortable } from '../../common/index.ts'
import { formatManifestId, type Manifest, paceOf } from '../../manifest/index.ts'
import type { Session, Target } from '../connection/session.ts'
import { fetchFrom } from '../own/fetch.ts'
import type { ManifestResult, Placement } from '../types.ts'

/** The node may have taken it all the same, or was never there: no word about the version. */
const UNHEARD: ReadonlySet<string> = new Set([
  ...['CONNECTION_LOST', 'NODE_UNREACHABLE', 'TIMED_OUT', 'CANCELLED'],
  'NOTHING_FITS'
])
/** It is signed anew, and tried again. */
const AGAIN = 'VERSION_STALE'

/** Whether no other node is to be brought this version now. */
export function stopsRollout({ error }: Placement): boolean {
  return error !== undefined && !UNHEARD.has(error.code)
}

/** Copies under way at one time over the whole mesh. What is not replaced copy by copy begins everywhere at once. */
export function paceAcross(manifest: Manifest): number {
  const { rollout, job } = manifest
  return rollout.strategy === 'Recreate' || job !== undefined ? Number.POSITIVE_INFINITY : paceOf(manifest)
}

export interface Failed {
  /** Of the manifest. */
  readonly id: Uint8Array
  readonly result: ManifestResult
  /** Nodes that ran an older version, those that failed first. */
  readonly nodes: readonly Target[]
}

/**
 * Automatic rollback: applies what ran before as a newer version, on every node that ran it, because a version that does not run on one node
 * is to run on none. Nodes that were not updated yet, or turned back by themselves, go on with the copies they have.
 * @returns undefined when there is nothing to turn back, or no node can tell what ran before
 */
export async function turnBack(
  session: Session,
  { id, result, nodes }: Failed,
  {
    reapply,
    signal
  }: { readonly reapply: (manifest: Manifest, after: number) => Promise<ManifestResult> } & Abortable
): Promise<ManifestResult | undefined> {
  const refuted = result.placements.filter((one) => stopsRollout(one) && one.error?.code !== AGAIN)
  // refused by all before anything was written down: what ran before is what runs, and what keepers know
  const wasBegun = result.placements.some(({ workloadId }) => workloadId !== '')
  if (refuted.length === 0 || !wasBegun || nodes.length === 0) return undefined
  const version = Number(result.version)
  const before = await versionBefore(session, { manifestId: id, version, nodes, signal })
  if (before === undefined) return undefined
  const back = await reapply(before.manifest, version)
  return {
    ...back,
    manifestId: formatManifestId(id),
    placements: [...back.placements, ...refuted].sort((a, b) => a.ordinal - b.ordinal),
    rolledBack: { from: result.version, to: String(before.version) }
  }
}

/** What ran before a version: a node that turned back runs it again, one that was updated has it in its history. */
async function versionBefore(
  session: Session,
  { nodes, ...wanted }: { nodes: readonly Target[]; manifestId: Uint8Array; version: number } & Abortable
): Promise<{ readonly manifest: Manifest; readonly version: number } | undefined> {
  for (const node of nodes) {
    const found = await readBefore(session, node, wanted).catch(() => {
      wanted.signal?.throwIfAborted()
      return undefined // because another node may have it
    })
    if (found?.manifest !== undefined) return { manifest: found.manifest, version: found.version }
  }
  return undefined
}

async function readBefore(
  session: Session,
  node: Target,
  { manifestId, version, signal }: { manifestId: Uint8Array; version: number } & Abortable
): Promise<{ readonly manifest: Manifest | undefined; readonly version: number } | undefined> {
  const now = await fetchFrom(session, node, { manifestId, signal })
  if (now.record.version < version) return { manifest: now.manifest, version: now.record.version }
  const past = now.history.find((one) => one.version < version)
  if (past === undefined) return undefined
  const { manifest } = await fetchFrom(session, node, { manifestId, version: past.version, signal })
  return { manifest, version: past.version }
}
