import { equalBytes } from '../../common/index.ts'
import type { Manifest } from '../../manifest/index.ts'
import { MAX_HISTORY, MAX_ORDINALS } from '../constants.ts'
import { WorkloadsError } from '../errors.ts'
import type { OpenedRecord } from '../open-record.ts'
import type { PastRelease, Release, StoredManifest } from '../types.ts'
import { sameLimits } from './admit.ts'

/** Whether this very record was accepted before: an honest retry, or more copies of it. */
export function isKnown(existing: StoredManifest | undefined, record: OpenedRecord): boolean {
  const { version, recordDigest } = existing?.highest ?? { version: -1, recordDigest: new Uint8Array() }
  return version === record.version && equalBytes(recordDigest, record.digest)
}

/** @throws WorkloadsError VERSION_STALE, EQUIVOCATION */
export function assertNewer(existing: StoredManifest | undefined, record: OpenedRecord): void {
  const highest = existing?.highest.version ?? -1
  if (record.version > highest) return
  const details = { highest: String(highest), got: String(record.version) }
  if (record.version === highest)
    throw new WorkloadsError('EQUIVOCATION', 'the owner signed two different records with one version', {
      details
    })
  throw new WorkloadsError('VERSION_STALE', 'this node has seen a newer version of this manifest', {
    details,
    hint: 'Apply again; if it stays, the clock of the machine that signs is behind.'
  })
}

/** @throws WorkloadsError RECORD_INVALID */
export function checkOrdinals(ordinals: readonly number[], manifest: Manifest): number[] {
  const unique = [...new Set(ordinals)].sort((a, b) => a - b)
  const most = Math.max(manifest.replicas, manifest.autoscale?.maxReplicas ?? 0)
  if (unique.length !== ordinals.length || unique.length > MAX_ORDINALS || unique.some((n) => n >= most))
    throw new WorkloadsError('RECORD_INVALID', 'the copies asked for are not copies of this manifest', {
      details: { ordinals: ordinals.slice(0, 70), replicas: most }
    })
  return unique
}

/** Whether what runs is what is wanted, whatever its version. */
export function runsAlready(existing: StoredManifest | undefined, wanted: Release): boolean {
  if (existing?.content === undefined || existing.tombstone || existing.next !== undefined) return false
  if (existing.passedBy !== undefined && existing.passedBy !== wanted.version) return false
  const copies = ({ workloads }: Release) =>
    workloads
      .filter(({ slotMs }) => slotMs === undefined) // a CronJob's copies belong to their slots
      .map(({ ordinal, engine }) => `${ordinal} ${engine}`)
      .sort()
      .join()
  // whether or not they run: what has fallen over is started again anyway, what is over (a Job) stays so
  return (
    equalBytes(existing.content.digest, wanted.content!.digest) &&
    copies(existing) === copies(wanted) &&
    sameLimits(existing, wanted)
  )
}

/**
 * Whether copies that run may stay under a newer version, because only their number changes. What belongs to slots or is a Job begins anew.
 */
export function sharesCopies(existing: StoredManifest | undefined, wanted: Release): boolean {
  if (existing?.content?.copyDigest === undefined || existing.tombstone || existing.next !== undefined)
    return false
  const ordinals = new Set(wanted.workloads.map(({ ordinal }) => ordinal))
  return (
    wanted.job === undefined &&
    existing.job === undefined &&
    equalBytes(existing.content.copyDigest, wanted.content!.copyDigest!) &&
    existing.workloads.some(({ ordinal }) => ordinals.has(ordinal)) &&
    sameLimits(existing, wanted)
  )
}

/** The versions before, when `next` takes the place of what runs. */
export function withPast(
  existing: StoredManifest | undefined,
  next: Pick<Release, 'content'>
): readonly PastRelease[] {
  const { content, version = 0, record = new Uint8Array(), history = [] } = existing ?? {}
  if (content === undefined || equalBytes(content.digest, next.content!.digest)) return history
  return [{ version, record, content }, ...history].slice(0, MAX_HISTORY)
}
