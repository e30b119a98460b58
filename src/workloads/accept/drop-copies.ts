import { equalBytes } from '../../common/index.ts'
import { announce, type Context } from '../context.ts'
import { removeCopy } from '../copies/deploy.ts'
import { tell } from '../copies/transition.ts'
import { allCopies } from '../manifest-table.ts'
import type { OpenedRecord } from '../open-record.ts'
import type { StoredManifest } from '../types.ts'

/**
 * Stops copies that others run, or are to run. In the manifest's lane. With none left the manifest is not this node's any more, but its version stays
 * known, so that nothing older is taken.
 */
export async function dropCopies(
  context: Context,
  manifestId: Uint8Array,
  ordinals: readonly number[],
  {
    reason: usual = 'another node runs it',
    drained
  }: { readonly reason?: string; readonly drained?: ReadonlyMap<number, string> | undefined } = {}
): Promise<void> {
  const stored = context.table.get(manifestId)
  if (stored === undefined || stored.tombstone) return
  const going = stored.workloads.filter(({ ordinal }) => ordinals.includes(ordinal))
  const isScheduled = stored.slotOrdinals?.some((ordinal) => ordinals.includes(ordinal)) === true
  if (going.length === 0 && !isScheduled) return
  for (const copy of going) {
    const surplus = drained?.get(copy.ordinal)
    const reason = surplus ?? usual
    if (surplus !== undefined) tell(context, stored, copy, { type: 'drained', reason })
    tell(context, stored, { ...copy, state: 'stopping' }, { reason })
    await context.table.putWorkload(manifestId, { ...copy, state: 'stopping' }).catch((error: unknown) => {
      // on a full disk it stops all the same: half stopped nobody would see that it still runs
      context.log.error('%s: its state is not written: %e', copy.workloadId, error)
    })
    announce(context, manifestId)
    await removeCopy(context, copy, stored.graceMs)
    tell(context, stored, { ...copy, state: 'stopped' }, { reason })
  }
  const current = context.table.get(manifestId)!
  const workloads = current.workloads.filter(({ ordinal }) => !ordinals.includes(ordinal))
  const slotOrdinals = current.slotOrdinals?.filter((ordinal) => !ordinals.includes(ordinal))
  const isStarter = current.cron !== undefined && slotOrdinals?.length !== 0
  const isOver = workloads.length === 0 && current.next === undefined && !isStarter
  await context.table.put(isOver ? handedOver(current) : { ...current, workloads, slotOrdinals })
  announce(context, manifestId)
}

/** Nothing of it is this node's any more but the knowledge of its version. */
export function handedOver(stored: StoredManifest): StoredManifest {
  return {
    ...stored,
    workloads: [],
    content: undefined,
    next: undefined,
    history: undefined,
    tombstone: true,
    handedOver: true
  }
}

/** Writes a tombstone down and stops everything. In the manifest's lane. Repeatable. */
export async function bury(
  context: Context,
  existing: StoredManifest,
  { record, bytes }: { readonly record: OpenedRecord; readonly bytes: Uint8Array }
): Promise<StoredManifest> {
  const isBuried = existing.tombstone && equalBytes(existing.highest.recordDigest, record.digest)
  const tombstone: StoredManifest = isBuried
    ? existing
    : {
        ...existing,
        version: record.version,
        recordDigest: record.digest,
        highest: { version: record.version, recordDigest: record.digest },
        workloads: allCopies(existing),
        next: undefined,
        history: undefined,
        record: bytes,
        tombstone: true,
        handedOver: undefined,
        notAfterMs: record.notAfter,
        content: undefined
      }
  if (!isBuried) await context.table.put(tombstone)
  context.reach('delete:stored')
  return tombstone
}
