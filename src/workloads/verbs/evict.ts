import { type EvictRequest, encodeProgress } from '../../generated/fbs/index.ts'
import { formatManifestId } from '../../manifest/index.ts'
import { heirOf } from '../../trust/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import { type Context, toWire } from '../context.ts'
import { WorkloadsError } from '../errors.ts'
import { allCopies } from '../manifest-table.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { claimsOf, finishRemoval } from './delete.ts'
import { sendStatus } from './status.ts'

/** A year: a manifest that is evicted is remembered for so long. Chosen. */
const MAX_REFUSE_SECONDS = 365 * 24 * 60 * 60

/**
 * Stops and forgets what a guest runs on this node, on the word of the machine's owner alone: no tombstone, so it counts here only, and what
 * the guest's own statements say elsewhere stays. The version is remembered as seen, so it does not come back by itself. Without a manifest:
 * what the asker could stop so. Frames: progress of every copy, then the manifest without copies.
 */
export async function evict(
  context: Context,
  { authorPeerId, payload, reply }: OwnerRequest<EvictRequest>
): Promise<void> {
  const { table, now } = context
  const { manifestId, refuseSeconds } = payload
  const evictable = (held: StoredManifest) => mayEvict(context, authorPeerId, held)
  if (manifestId === undefined) return sendStatus(context, reply, table.live().filter(evictable))
  await context.lanes.run(formatManifestId(manifestId), async () => {
    const existing = table.get(manifestId)
    const isMine = existing !== undefined && isTheirs(context, existing, authorPeerId)
    if (isMine && !existing.tombstone)
      throw new WorkloadsError('MANIFEST_NOT_FOUND', 'it is yours, no guest runs it', {
        hint: 'Stop it wherever it runs with "beemesh delete".'
      })
    if (
      existing === undefined ||
      !evictable(existing) ||
      (existing.tombstone && existing.evicted === undefined)
    )
      throw new WorkloadsError('MANIFEST_NOT_FOUND', 'no guest runs it on this node')
    const untilMs = now() + Math.min(refuseSeconds, MAX_REFUSE_SECONDS) * 1_000
    const evicted: StoredManifest = {
      ...existing,
      workloads: allCopies(existing),
      next: undefined,
      tombstone: true,
      content: undefined,
      // kept for as long as it is refused
      notAfterMs: Math.max(existing.notAfterMs, untilMs),
      evicted: { by: authorPeerId, untilMs }
    }
    const claims = payload.volumes && !existing.tombstone ? await claimsOf(context, existing) : []
    await table.put(evicted) // first, so that a node that dies in the middle finishes when it starts
    const report = (copy: StoredWorkload, state: 'stopping' | 'stopped') =>
      void reply.send(encodeProgress({ workload: toWire({ ...copy, state }) })).catch(() => {}) // the asker may be gone
    await finishRemoval(context, evicted, report)
    for (const { engine, volumes } of claims)
      await context.init.engines.get(engine).removeVolumes(volumes, { signal: context.signal })
    await sendStatus(context, reply, [table.get(manifestId)!])
  })
}

/** @throws WorkloadsError EVICTED when the machine's owner has stopped this version, or this manifest for a time that is not over */
export function assertNotEvicted(
  existing: StoredManifest | undefined,
  { version }: { readonly version: number },
  nowMs: number
): void {
  if (existing?.evicted === undefined) return
  const { untilMs } = existing.evicted
  if (version > existing.highest.version && nowMs >= untilMs) return
  const until = new Date(untilMs).toISOString()
  throw new WorkloadsError('EVICTED', 'the owner of this machine has stopped this manifest here', {
    details: { until },
    hint:
      nowMs < untilMs
        ? `It is not taken again before ${until}. Ask the owner, or name another node with --to.`
        : 'Apply it again: only that version is refused for good.'
  })
}

/**
 * The machine's own owner may stop what everybody else runs here. Another owner may stop what hangs from a grant of his own, and, on a
 * machine that has no owner of its own, whatever no owner runs.
 */
function mayEvict({ init }: Context, author: string, held: StoredManifest): boolean {
  const trust = init.trust?.()
  if (trust === undefined || !trust.owners.has(author) || isTheirs({ init }, held, author)) return false
  const own = init.ownOwners ?? new Set()
  if (own.has(author)) return true
  if (trust.chainsOf(held.owner).some(({ root }) => root === author)) return true
  return own.size === 0 && !trust.owners.has(heirOf(trust.successors, held.owner))
}

function isTheirs({ init }: Pick<Context, 'init'>, { owner }: StoredManifest, author: string): boolean {
  return owner === author || heirOf(init.trust?.().successors, owner) === author
}
