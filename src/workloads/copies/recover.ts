import { formatManifestId } from '../../manifest/index.ts'
import type { EngineWorkload } from '../../runtime/index.ts'
import { announce, type Context, nodeLabels, openStored } from '../context.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { finishRemoval } from '../verbs/delete.ts'
import { deployCopy, removeCopy } from './deploy.ts'
import { ownWorkloadId } from './watch.ts'

/**
 * After a start: copies that still run are taken over as they are; what was under way is done again; what nobody asked for
 * (a copy of a version before, a half of a deployment) is removed. Resolves when what runs is known again; the rest follows.
 */
export async function recover(context: Context): Promise<{ readonly rest: Promise<unknown> }> {
  const seen = await listEverywhere(context)
  const known = new Map(seen.map(({ workload }) => [workload.workloadId, workload]))
  const wanted = new Set<string>()
  const unfinished: (() => Promise<unknown>)[] = []
  for (const manifest of context.table.all()) {
    if (manifest.tombstone) {
      if (manifest.workloads.length > 0) unfinished.push(() => finishRemoval(context, manifest))
      continue
    }
    for (const copy of manifest.workloads) {
      wanted.add(copy.workloadId)
      const state = known.get(copy.workloadId)?.state
      if (state === 'running') await adopt(context, manifest, copy, known.get(copy.workloadId)!)
      else if (copy.state !== 'stopped' || state === undefined)
        unfinished.push(() => startAgain(context, manifest, copy))
    }
    announce(context, manifest.manifestId)
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
  const rest = unfinished.map((act) =>
    act().catch((error: unknown) => context.log.error('recovery: %e', error))
  )
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
      context.log.error('engine %s does not answer: %e', engine.name, error)
    }
  }
  return all
}

async function adopt(
  context: Context,
  manifest: StoredManifest,
  copy: StoredWorkload,
  seen: EngineWorkload
): Promise<void> {
  if (copy.state === 'running' || copy.state === 'ready') return
  const { ports, startedAtMs } = seen
  const workload: StoredWorkload = { ...copy, state: 'running', ports, startedAtMs, message: undefined }
  await context.table.putWorkload(manifest.manifestId, workload)
}

async function startAgain(context: Context, manifest: StoredManifest, copy: StoredWorkload): Promise<void> {
  await context.lanes.run(formatManifestId(manifest.manifestId), async () => {
    const { manifest: opened } = await openStored(context, manifest)
    await removeCopy(context, copy, 0)
    const onChange = () => {}
    const { workload } = await deployCopy(context, { stored: manifest, manifest: opened, copy, onChange })
    await context.table.putWorkload(manifest.manifestId, workload)
    announce(context, manifest.manifestId)
  })
}
