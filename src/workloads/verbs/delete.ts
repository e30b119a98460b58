import { equalBytes } from '../../common/index.ts'
import { type DeleteRequest, encodeProgress } from '../../generated/fbs/index.ts'
import { claimVolumes, formatManifestId } from '../../manifest/index.ts'
import { heirOf } from '../../trust/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import { assertNewer } from '../accept/compare.ts'
import { bury } from '../accept/drop-copies.ts'
import { type Context, openStored, toWire } from '../context.ts'
import { claimPrefixOf, removeCopy } from '../copies/deploy.ts'
import { tell } from '../copies/transition.ts'
import { WorkloadsError } from '../errors.ts'
import { allCopies } from '../manifest-table.ts'
import { openRecord } from '../open-record.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { sendStatus } from './status.ts'

/**
 * Stops and forgets a manifest. The tombstone is on disk first, so that a node that dies in the middle finishes the removal
 * when it starts. Frames: progress of every copy, then the manifest without copies.
 */
export async function remove(
  context: Context,
  { author, authorPeerId, payload, reply, signal }: OwnerRequest<DeleteRequest>
): Promise<void> {
  const { init, now, table } = context
  const record = openRecord(payload.record, {
    author,
    networkId: init.network.id,
    nowMs: now(),
    tombstone: true
  })
  await context.lanes.run(formatManifestId(record.manifestId), async () => {
    const existing = table.get(record.manifestId)
    const retry = existing?.tombstone === true && equalBytes(existing.highest.recordDigest, record.digest)
    if (retry) {
      await finishRemoval(context, existing) // the answer to the first try was lost, or the removal was cut short
      return sendStatus(context, reply, [table.get(record.manifestId)!])
    }
    const isHere =
      existing !== undefined &&
      isTheirs(context, existing, authorPeerId) &&
      !(existing.tombstone && existing.workloads.length === 0)
    const isKept = init
      .keptFor?.()
      .keptViews()
      .some(
        ({ manifestId, owner, tombstone }) =>
          !tombstone &&
          isTheirs(context, { owner }, authorPeerId) &&
          equalBytes(manifestId, record.manifestId)
      )
    if (!isHere && isKept) {
      // nothing runs here, but this node keeps it for others that may run it, or may be gone
      await init.keep?.(
        { record: payload.record, sealedKeys: [], sealedShares: [] },
        { ordinals: [], signal }
      )
      return sendStatus(context, reply, [])
    }
    // a manifest of somebody else is as if it were not here: who may delete is who signed it
    if (!isHere) throw new WorkloadsError('MANIFEST_NOT_FOUND', 'this node does not hold the manifest')
    assertNewer(existing, record)
    const claims = payload.volumes && !existing.tombstone ? await claimsOf(context, existing) : []
    const bundle = { record: payload.record, sealedKeys: [], sealedShares: [] }
    await init.keep?.(bundle, { ordinals: [], signal })
    const tombstone = await bury(context, existing, { record, bytes: payload.record })
    const report = (copy: StoredWorkload, state: 'stopping' | 'stopped') =>
      void reply.send(encodeProgress({ workload: toWire({ ...copy, state }) })).catch(() => {}) // the asker may be gone
    await finishRemoval(context, tombstone, report)
    for (const { engine, volumes } of claims)
      await context.init.engines.get(engine).removeVolumes(volumes, { signal: context.signal })
    await sendStatus(context, reply, [table.get(record.manifestId)!])
  })
}

/** Who signed it, or whoever took that one's place. */
function isTheirs({ init }: Context, { owner }: Pick<StoredManifest, 'owner'>, author: string): boolean {
  return owner === author || heirOf(init.trust?.().successors, owner) === author
}

/** The lasting volumes of every copy here. Asked before the content is gone. */
export async function claimsOf(
  context: Context,
  stored: StoredManifest
): Promise<{ engine: string; volumes: string[] }[]> {
  const { manifest } = await openStored(context, stored.owner, stored)
  const claimPrefix = claimPrefixOf(context, stored.manifestId)
  return allCopies(stored).map(({ engine, ordinal }) => ({
    engine,
    volumes: claimVolumes(manifest, { claimPrefix, ordinal })
  }))
}

/** Takes away what a tombstone still has. Repeatable; also run when the node starts. */
export async function finishRemoval(
  context: Context,
  tombstone: StoredManifest,
  report: (copy: StoredWorkload, state: 'stopping' | 'stopped') => void = () => {}
): Promise<void> {
  context.providers.withdraw(tombstone.manifestId)
  const reason =
    tombstone.evicted === undefined ? 'deleted by its owner' : 'stopped by the owner of this machine'
  await Promise.all(
    tombstone.workloads.map(async (copy) => {
      tell(context, tombstone, { ...copy, state: 'stopping' }, { reason })
      report(copy, 'stopping')
      await removeCopy(context, copy, tombstone.graceMs)
      context.reach('delete:one-removed')
      tell(context, tombstone, { ...copy, state: 'stopped' })
      report(copy, 'stopped')
    })
  )
  await context.table.put({ ...tombstone, workloads: [] })
  context.reach('delete:finished')
}
