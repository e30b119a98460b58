import { createHash } from 'node:crypto'
import { isBeemeshError, safeText, timeoutSignal, toError } from '../../common/index.ts'
import {
  formatManifestId,
  type Manifest,
  type PortAssignment,
  pidsLimitOf,
  toPod,
  workloadName
} from '../../manifest/index.ts'
import { type RuntimeEngine, RuntimeError } from '../../runtime/index.ts'
import { DEPLOY_TIMEOUT_MS, LABELS, PORT_RANGE, REMOVE_TIMEOUT_MS } from '../constants.ts'
import { type Context, nodeLabels } from '../context.ts'
import { permit } from '../fenced/permit.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { firstCompletion, type Past } from './job.ts'
import { assignPorts } from './ports.ts'
import { describeEnds } from './restart.ts'

/** A copy after an attempt to start it. */
export interface Deployed {
  readonly workload: StoredWorkload
  /** Set when state is failed: the code of what went wrong. */
  readonly errorCode?: string
}

/** Attempts when a port this node chose itself was taken by somebody else in between. */
const MAX_PORT_ATTEMPTS = 3

/** A copy that is to be: its name on the engine, nothing started yet. */
export function planCopy(
  context: Context,
  {
    manifest,
    manifestId,
    version,
    ordinal,
    engine,
    past
  }: {
    manifest: Manifest
    manifestId: Uint8Array
    version: number
    ordinal: number
    engine: RuntimeEngine
    past?: Past | undefined
  }
): StoredWorkload {
  const node = context.init.key.publicKey
  const workloadId = workloadName({ name: manifest.name, manifestId, version, ordinal, node })
  const job = manifest.job === undefined ? undefined : firstCompletion(manifest.job, ordinal, past)
  return { workloadId, ordinal, engine: engine.name, state: 'accepted', ports: [], job }
}

/** The Pod of one copy with everything written in. */
export function podOf(
  context: Context,
  {
    stored,
    manifest,
    copy,
    ports
  }: {
    stored: Pick<StoredManifest, 'manifestId' | 'version'>
    manifest: Manifest
    copy: StoredWorkload
    ports: readonly PortAssignment[]
  }
) {
  const labels = {
    ...nodeLabels(context),
    [LABELS.workload]: copy.workloadId,
    [LABELS.manifest]: formatManifestId(stored.manifestId),
    [LABELS.version]: String(stored.version),
    [LABELS.ordinal]: String(copy.ordinal)
  }
  const { workloadId, ordinal, job } = copy
  const completion = job?.completion ?? (manifest.job === undefined ? undefined : 0)
  const claimPrefix = claimPrefixOf(context, stored.manifestId)
  return toPod(manifest, { workloadId, ordinal, labels, ports, claimPrefix, completion })
}

/**
 * What names of lasting volumes begin with: the same for every version, so that a newer one finds the data, and this node's
 * own, because nodes may share an engine.
 */
export function claimPrefixOf(context: Context, manifestId: Uint8Array): string {
  const digest = createHash('sha256').update(manifestId).update(context.init.key.publicKey).digest('hex')
  return `bm-${digest.slice(0, 12)}`
}

/**
 * Starts one copy. What goes wrong is part of the result; it throws only when the node stops in the middle, and then the
 * copy is left to the next start.
 */
export async function deployCopy(
  context: Context,
  {
    stored,
    manifest,
    copy,
    onChange
  }: {
    stored: Pick<StoredManifest, 'manifestId' | 'version' | 'owner'>
    manifest: Manifest
    copy: StoredWorkload
    onChange: (copy: StoredWorkload) => void
  }
): Promise<Deployed> {
  const engine = context.init.engines.get(copy.engine)
  const ownPorts = manifest.ports.every(({ hostPort }) => hostPort !== undefined)
  for (let attempt = 1; ; attempt++) {
    const range = context.init.portRange ?? PORT_RANGE
    const taken = new Set([...context.takenPorts, ...context.table.takenPorts()])
    let ports: PortAssignment[] = []
    try {
      await permit(context, stored, copy)
      ports = await assignPorts(manifest, { taken, range, publishAddress: context.init.publishAddress })
      for (const { hostPort } of ports) context.takenPorts.add(hostPort)
      const { pod, files } = podOf(context, { stored, manifest, copy, ports })
      const signal = AbortSignal.any([context.signal, timeoutSignal(DEPLOY_TIMEOUT_MS)])
      const onState = (state: 'pulling' | 'starting') => onChange({ ...copy, state, ports })
      const request = {
        workloadId: copy.workloadId,
        pod,
        files,
        pidsLimit: pidsLimitOf(manifest),
        ...(manifest.isolated ? { network: 'none' as const } : {})
      }
      const deploy = () => engine.deploy(request, { signal, onState })
      const running = await context.gate.run(deploy, { signal, owner: stored.owner })
      await context.guarded.refresh(copy.workloadId)
      // a Job's copy may be over at once, well or badly: the watcher judges that; everything else is to stay
      if (running.state === 'failed' && manifest.job === undefined) {
        await engine.remove(copy.workloadId, { graceMs: 0, signal })
        throw new RuntimeError('START_FAILED', describeEnds(running))
      }
      const startedAtMs = running.startedAtMs ?? context.now()
      return {
        workload: { ...copy, state: 'running', ports, startedAtMs, message: undefined, fenced: undefined }
      }
    } catch (thrown) {
      context.signal.throwIfAborted()
      const error = toError(thrown)
      const code = isBeemeshError(error) ? error.code : 'INTERNAL'
      if (code === 'PORT_IN_USE' && !ownPorts && attempt < MAX_PORT_ATTEMPTS) continue
      context.log.error('%s failed to start: %s', copy.workloadId, code)
      if (context.guarded.isWatched(copy.workloadId)) await removeSafely(context, copy)
      const fenced = code === 'FENCED' || undefined
      return {
        workload: { ...copy, state: 'failed', ports: [], message: safeText(error.message, 1000), fenced },
        errorCode: code
      }
    } finally {
      for (const { hostPort } of ports) context.takenPorts.delete(hostPort)
    }
  }
}

/** The guard goes on watching what may be left. */
async function removeSafely(context: Context, copy: StoredWorkload): Promise<void> {
  await removeCopy(context, copy, 0).catch((error: unknown) =>
    context.log.error('%s: %s', copy.workloadId, toError(error).message)
  )
}

/** Takes one copy away from its engine. Repeatable. */
export async function removeCopy(context: Context, copy: StoredWorkload, graceMs: number): Promise<void> {
  context.unprobe(copy)
  const engine = context.init.engines.get(copy.engine)
  const signal = AbortSignal.any([context.signal, timeoutSignal(graceMs + REMOVE_TIMEOUT_MS)])
  await engine.remove(copy.workloadId, { graceMs, signal })
  await context.guarded.end(copy.workloadId)
}
