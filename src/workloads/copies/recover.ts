import { raceSignal, timeoutSignal } from '../../common/index.ts'
import { formatManifestId } from '../../manifest/index.ts'
import type { EngineWorkload } from '../../runtime/index.ts'
import { dropCopies, handedOver } from '../accept/drop-copies.ts'
import { announce, type Context, nodeLabels, openStored, RUNNING } from '../context.ts'
import { allCopies } from '../manifest-table.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { finishRemoval } from '../verbs/delete.ts'
import { removeCopy } from './deploy.ts'
import { startCopy } from './release.ts'
import { rollOut } from './rollout.ts'
import { ownWorkloadId } from './watch.ts'

/** An engine that does not answer must not keep the node from starting: its copies stay as they were written down. */
const LIST_TIMEOUT_MS = 5_000

/**
 * After a start: copies that still run are taken over as they are; what was under way goes on; what nobody asked for (a copy
 * of a version before, a half of a deployment) is removed. Resolves when what runs is known again; `rest` is the work left.
 */
export async function recover(context: Context): Promise<{ readonly rest: Promise<unknown> }> {
  const { table, lanes, log, init } = context
  const used = new Set(table.all().flatMap((manifest) => allCopies(manifest).map(({ engine }) => engine)))
  const lists = new Map(
    await Promise.all([...used].map(async (name) => [name, await listOn(context, name)] as const))
  )
  const unfinished: (() => Promise<unknown>)[] = []
  for (const manifest of table.all()) {
    const inLane = (act: () => Promise<unknown>) =>
      unfinished.push(() => lanes.run(formatManifestId(manifest.manifestId), act))
    if (manifest.tombstone) {
      if (manifest.workloads.length > 0) inLane(() => finishRemoval(context, manifest))
      continue
    }
    let known = true
    for (const copy of allCopies(manifest)) {
      const list = lists.get(copy.engine)
      if (list === undefined) known = false
      else await adopt(context, manifest, copy, list.get(copy.workloadId))
    }
    announce(context, manifest.manifestId)
    if (known) inLane(() => dropLeaving(context, manifest.manifestId))
    inLane(() => probeAdopted(context, manifest.manifestId))
    if (manifest.next !== undefined) inLane(() => resumeRollout(context, manifest.manifestId))
    else if (known) inLane(() => startMissing(context, manifest.manifestId))
  }
  for (const name of init.engines.names().filter((one) => table.engines().includes(one)))
    unfinished.push(() => removeOrphans(context, name, lists.get(name)))
  const rest = unfinished.map((act) => act().catch((error: unknown) => log.error('recovery: %e', error)))
  return { rest: Promise.all(rest) }
}

/** This node's workloads on one engine by ID; undefined when it does not answer. */
async function listOn(context: Context, name: string): Promise<Map<string, EngineWorkload> | undefined> {
  const engine = context.init.engines.get(name)
  const signal = AbortSignal.any([context.signal, timeoutSignal(LIST_TIMEOUT_MS)])
  try {
    const { available } = await raceSignal(engine.isAvailable({ signal }), signal)
    if (!available) return undefined
    const listed = await raceSignal(engine.list({ labels: nodeLabels(context) }, { signal }), signal)
    const own = listed.filter((seen) => ownWorkloadId(context, seen) !== undefined)
    return new Map(own.map((workload) => [workload.workloadId, workload]))
  } catch (error) {
    context.log.error('engine %s does not answer: %e', name, error)
    return undefined
  }
}

/** Removes what carries this node's label and is in no manifest, also on engines that no manifest names any more. */
async function removeOrphans(
  context: Context,
  engine: string,
  listed: ReadonlyMap<string, EngineWorkload> | undefined
): Promise<void> {
  const seen = listed ?? (await listOn(context, engine))
  const wanted = new Set(
    context.table.all().flatMap((manifest) => allCopies(manifest).map(({ workloadId }) => workloadId))
  )
  for (const workloadId of seen?.keys() ?? [])
    if (!wanted.has(workloadId))
      await removeCopy(context, { workloadId, ordinal: 0, engine, state: 'stopping', ports: [] }, 0)
}

/** Writes down what a copy is now: running as seen, or to be started again. */
async function adopt(
  context: Context,
  { manifestId }: StoredManifest,
  copy: StoredWorkload,
  seen: EngineWorkload | undefined
): Promise<void> {
  if (copy.state === 'stopping') return // it was going when the node ended
  if (seen?.state === 'running') {
    if (RUNNING.has(copy.state)) return
    const { ports, startedAtMs } = seen
    await context.table.putWorkload(manifestId, {
      ...copy,
      state: 'running',
      ports,
      startedAtMs,
      message: undefined,
      fenced: undefined
    })
  } else if (RUNNING.has(copy.state))
    await context.table.putWorkload(manifestId, { ...copy, state: 'starting' })
}

/** Copies that were taken over are probed like those that were started. */
async function probeAdopted(context: Context, manifestId: Uint8Array): Promise<void> {
  const stored = context.table.get(manifestId)
  const running = stored?.workloads.filter(({ state }) => RUNNING.has(state)) ?? []
  if (stored === undefined || running.length === 0) return
  const { manifest } = await openStored(context, stored.owner, stored)
  for (const copy of running) context.probe(stored, copy, manifest)
}

/** Copies that were being stopped when the node ended. */
async function dropLeaving(context: Context, manifestId: Uint8Array): Promise<void> {
  const leaving = context.table.get(manifestId)?.workloads.filter(({ state }) => state === 'stopping') ?? []
  const ordinals = leaving.map(({ ordinal }) => ordinal)
  await dropCopies(context, manifestId, ordinals, { reason: 'it was being stopped when the node ended' })
}

async function startMissing(context: Context, manifestId: Uint8Array): Promise<void> {
  const stored = context.table.get(manifestId)
  // what is over (a Job's copy) is not begun again
  const isMissing = ({ state, endedAtMs }: StoredWorkload) =>
    !RUNNING.has(state) && state !== 'stopped' && endedAtMs === undefined
  const missing = stored?.workloads.filter(isMissing) ?? []
  // a CronJob is asked about, too: another node may have taken its schedule
  if (stored === undefined || (missing.length === 0 && stored.cron === undefined)) return
  const { init, signal } = context
  // because others may run them by now, or their owner may have deleted them meanwhile
  const may = init.mayResume && new Set(await init.mayResume(stored, { signal }))
  const startable = missing.filter(({ ordinal }) => may === undefined || may.has(ordinal))
  if (startable.length === 0) return
  const { manifest } = await openStored(context, stored.owner, stored)
  for (const copy of startable) {
    await removeCopy(context, copy, 0)
    await startCopy(context, stored, { manifest, copy, report: () => {} })
  }
  announce(context, manifestId)
}

/** A rollout that was under way goes on, but for copies that neither version of runs here and that are others' by now. */
async function resumeRollout(context: Context, manifestId: Uint8Array): Promise<void> {
  const { table, init, signal } = context
  const stored = table.get(manifestId)
  if (stored?.next === undefined) return
  const { next } = stored
  const all = allCopies(stored)
  const running = new Set(all.filter(({ state }) => RUNNING.has(state)).map(({ ordinal }) => ordinal))
  // of each copy the one that runs; where none does, the one that is to
  const ordinals = new Map(all.map((copy) => [copy.ordinal, copy]))
  for (const copy of all) if (RUNNING.has(copy.state)) ordinals.set(copy.ordinal, copy)
  const asked = { ...stored, ...next, next: undefined, workloads: [...ordinals.values()] }
  const isMissing = running.size < ordinals.size
  const may = isMissing ? await init.mayResume?.(asked, { signal }) : undefined
  const stays = ({ ordinal }: StoredWorkload) => running.has(ordinal) || (may?.includes(ordinal) ?? true)
  if (!all.every(stays)) {
    for (const copy of all) if (!stays(copy)) await removeCopy(context, copy, 0)
    const left = {
      ...stored,
      workloads: stored.workloads.filter(stays),
      next: { ...next, workloads: next.workloads.filter(stays) }
    }
    await table.put(all.some(stays) ? left : handedOver(left))
    announce(context, manifestId)
  }
  await rollOut(context, manifestId, () => {})
}
