import { formatManifestId } from '../../manifest/index.ts'
import type { EngineWorkload } from '../../runtime/index.ts'
import { announce, type Context, nodeLabels, openStored, RUNNING } from '../context.ts'
import { allCopies } from '../manifest-table.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { finishRemoval } from '../verbs/delete.ts'
import { removeCopy } from './deploy.ts'
import { startCopy } from './release.ts'
import { rollOut } from './rollout.ts'
import { ownWorkloadId } from './watch.ts'

/**
 * After a start: copies that still run are taken over as they are; what was under way goes on; what nobody asked for (a copy
 * of a version before, a half of a deployment) is removed. Resolves when what runs is known again; `rest` is the work left.
 */
export async function recover(context: Context): Promise<{ readonly rest: Promise<unknown> }> {
  const { table, lanes, log } = context
  const seen = await listEverywhere(context)
  const known = new Map(seen.map(({ workload }) => [workload.workloadId, workload]))
  const wanted = new Set(
    table.all().flatMap((manifest) => allCopies(manifest).map(({ workloadId }) => workloadId))
  )
  const unfinished: (() => Promise<unknown>)[] = []
  for (const manifest of table.all()) {
    const inLane = (act: () => Promise<unknown>) =>
      unfinished.push(() => lanes.run(formatManifestId(manifest.manifestId), act))
    if (manifest.tombstone) {
      if (manifest.workloads.length > 0) inLane(() => finishRemoval(context, manifest))
      continue
    }
    for (const copy of allCopies(manifest)) await adopt(context, manifest, copy, known.get(copy.workloadId))
    announce(context, manifest.manifestId)
    inLane(() => probeAdopted(context, manifest.manifestId))
    if (manifest.next !== undefined) inLane(() => rollOut(context, manifest.manifestId, () => {}))
    else inLane(() => startMissing(context, manifest.manifestId))
  }
  for (const { engine, workload } of seen) {
    if (wanted.has(workload.workloadId)) continue
    const orphan = {
      workloadId: workload.workloadId,
      ordinal: 0,
      engine,
      state: 'stopping',
      ports: []
    } as const
    unfinished.push(() => removeCopy(context, orphan, 0))
  }
  const rest = unfinished.map((act) => act().catch((error: unknown) => log.error('recovery: %e', error)))
  return { rest: Promise.all(rest) }
}

async function listEverywhere(context: Context): Promise<{ engine: string; workload: EngineWorkload }[]> {
  const all: { engine: string; workload: EngineWorkload }[] = []
  for (const name of context.init.engines.names()) {
    const engine = context.init.engines.get(name)
    try {
      if (!(await engine.isAvailable({ signal: context.signal })).available) continue
      const listed = await engine.list({ labels: nodeLabels(context) }, { signal: context.signal })
      for (const workload of listed)
        if (ownWorkloadId(context, workload) !== undefined) all.push({ engine: engine.name, workload })
    } catch (error) {
      context.log.error('engine %s does not answer: %e', name, error)
    }
  }
  return all
}

/** Writes down what a copy is now: running as seen, or to be started again. */
async function adopt(
  context: Context,
  { manifestId }: StoredManifest,
  copy: StoredWorkload,
  seen: EngineWorkload | undefined
): Promise<void> {
  if (seen?.state === 'running') {
    if (RUNNING.has(copy.state)) return
    const { ports, startedAtMs } = seen
    await context.table.putWorkload(manifestId, {
      ...copy,
      state: 'running',
      ports,
      startedAtMs,
      message: undefined
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

async function startMissing(context: Context, manifestId: Uint8Array): Promise<void> {
  const stored = context.table.get(manifestId)
  // what is over (a Job's copy) is not begun again
  const isMissing = ({ state, endedAtMs }: StoredWorkload) =>
    !RUNNING.has(state) && state !== 'stopped' && endedAtMs === undefined
  const missing = stored?.workloads.filter(isMissing) ?? []
  if (stored === undefined || missing.length === 0) return
  const { manifest } = await openStored(context, stored.owner, stored)
  for (const copy of missing) {
    await removeCopy(context, copy, 0)
    await startCopy(context, stored, { manifest, copy, report: () => {} })
  }
  announce(context, manifestId)
}
