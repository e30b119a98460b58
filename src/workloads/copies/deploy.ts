import { isBeemeshError, safeText, toError } from '../../common/index.ts'
import {
  formatManifestId,
  type Manifest,
  type PortAssignment,
  toPod,
  workloadName
} from '../../manifest/index.ts'
import type { RuntimeEngine } from '../../runtime/index.ts'
import { DEPLOY_TIMEOUT_MS, LABELS, PORT_RANGE, REMOVE_TIMEOUT_MS } from '../constants.ts'
import { type Context, nodeLabels } from '../context.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { assignPorts } from './ports.ts'

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
    engine
  }: {
    manifest: Manifest
    manifestId: Uint8Array
    version: number
    ordinal: number
    engine: RuntimeEngine
  }
): StoredWorkload {
  const node = context.init.key.publicKey
  const workloadId = workloadName({ name: manifest.name, manifestId, version, ordinal, node })
  return { workloadId, ordinal, engine: engine.name, state: 'accepted', ports: [] }
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
  return toPod(manifest, { workloadId: copy.workloadId, ordinal: copy.ordinal, labels, ports })
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
      ports = await assignPorts(manifest, { taken, range, publishAddress: context.init.publishAddress })
      for (const { hostPort } of ports) context.takenPorts.add(hostPort)
      const { pod, files } = podOf(context, { stored, manifest, copy, ports })
      const signal = AbortSignal.any([context.signal, AbortSignal.timeout(DEPLOY_TIMEOUT_MS)])
      const onState = (state: 'pulling' | 'starting') => onChange({ ...copy, state, ports })
      const request = { workloadId: copy.workloadId, pod, files }
      const deploy = () => engine.deploy(request, { signal, onState })
      const running = await context.gate.run(deploy, { signal, owner: stored.owner })
      const startedAtMs = running.startedAtMs ?? context.now()
      return { workload: { ...copy, state: 'running', ports, startedAtMs, message: undefined } }
    } catch (thrown) {
      context.signal.throwIfAborted()
      const error = toError(thrown)
      const code = isBeemeshError(error) ? error.code : 'INTERNAL'
      if (code === 'PORT_IN_USE' && !ownPorts && attempt < MAX_PORT_ATTEMPTS) continue
      context.log.error('%s failed to start: %s', copy.workloadId, code)
      return {
        workload: { ...copy, state: 'failed', ports: [], message: safeText(error.message, 1000) },
        errorCode: code
      }
    } finally {
      for (const { hostPort } of ports) context.takenPorts.delete(hostPort)
    }
  }
}

/** Takes one copy away from its engine. Repeatable. */
export async function removeCopy(context: Context, copy: StoredWorkload, graceMs: number): Promise<void> {
  const engine = context.init.engines.get(copy.engine)
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(graceMs + REMOVE_TIMEOUT_MS)])
  await engine.remove(copy.workloadId, { graceMs, signal })
}
