import { type Abortable, isBeemeshError, safeText, toError } from '../common/index.ts'
import { decode, hasIdentifier } from '../envelope/index.ts'
import { encodeApplyRequest, PROGRESS, STATUS_REPLY, type Workload } from '../generated/fbs/index.ts'
import { formatManifestId, type Manifest } from '../manifest/index.ts'
import { RemoteError } from '../wire/index.ts'
import type { Session } from './connection/session.ts'
import type { SeenNode } from './nodes.ts'
import { type SealedManifest, sealManifest } from './seal.ts'
import type { ManifestResult, Placement, ProgressEvent } from './types.ts'

type ChosenNode = SeenNode & { readonly hints?: readonly string[] }

export interface ApplyOne extends Abortable {
  readonly session: Session
  readonly nodes: readonly ChosenNode[]
  readonly onProgress?: (event: ProgressEvent) => void
}

/** Copies dealt out in turn: with nodes a, b and three copies, a takes 0 and 2, b takes 1. Nodes left without are left out. */
export function dealCopies<T>(replicas: number, nodes: readonly T[]): { node: T; ordinals: number[] }[] {
  const hands = nodes.map((node) => ({ node, ordinals: [] as number[] }))
  for (let ordinal = 0; ordinal < replicas; ordinal++) hands[ordinal % hands.length]!.ordinals.push(ordinal)
  return replicas === 0 ? hands.slice(0, 1) : hands.filter(({ ordinals }) => ordinals.length > 0)
}

/** Seals one manifest, hands it to its nodes and follows until every copy runs or has failed. Failures are in the result. */
export async function applyManifest(manifest: Manifest, options: ApplyOne): Promise<ManifestResult> {
  let version = Date.now()
  for (let attempt = 1; ; attempt++) {
    const result = await applyVersion(manifest, version, options)
    // because a clock that went back must not stop its owner: the node says which version it has seen
    const highest = staleAt(result.failures)
    if (highest === undefined || attempt > 1) return result.result
    version = Math.max(version, highest) + 1
  }
}

interface Attempt {
  readonly result: ManifestResult
  readonly failures: readonly Error[]
}

async function applyVersion(manifest: Manifest, version: number, options: ApplyOne): Promise<Attempt> {
  const { key, connection } = options.session
  const { networkId } = connection
  const hands = manifest.perNode
    ? options.nodes.map((node) => ({ node, ordinals: [0] })) // a DaemonSet: one copy on each
    : dealCopies(manifest.replicas, options.nodes)
  const nodes = hands.map(({ node }) => node)
  const sealed = await sealManifest(manifest, { key, networkId, version, nodes, nowMs: Date.now() })
  const failures: Error[] = []
  const perNode = await Promise.all(
    hands.map(async ({ node, ordinals }) => {
      try {
        return await applyOn(node, ordinals, { ...options, manifest, sealed })
      } catch (thrown) {
        const error = toError(thrown)
        failures.push(error)
        return ordinals.map((ordinal) => failedPlacement(node, ordinal, error))
      }
    })
  )
  const placements = perNode.flat().sort((a, b) => a.ordinal - b.ordinal)
  const { kind, name, namespace } = manifest
  const manifestId = formatManifestId(sealed.manifestId)
  return {
    result: { manifestId, kind, name, namespace, version: String(version), owner: key.peerId, placements },
    failures
  }
}

async function applyOn(
  node: ChosenNode,
  ordinals: readonly number[],
  { session, manifest, sealed, onProgress, signal }: ApplyOne & { manifest: Manifest; sealed: SealedManifest }
): Promise<Placement[]> {
  const latest = new Map<string, Placement>()
  const manifestId = formatManifestId(sealed.manifestId)
  const target = { publicKey: node.publicKey, addresses: node.hints ?? node.addresses }
  const encode = (replyKey: Uint8Array) => encodeApplyRequest({ ...sealed, ordinals, replyKey })
  for await (const body of session.ask(target, 'apply', encode, { signal })) {
    if (hasIdentifier(body, PROGRESS)) {
      const { workload, errorCode, unchanged } = decode(PROGRESS, body)
      const placement = toPlacement(node, workload, { errorCode, unchanged })
      latest.set(placement.workloadId, placement)
      onProgress?.({ ...placement, manifestId, name: manifest.name })
    } else
      for (const { workloads } of decode(STATUS_REPLY, body).manifests)
        for (const workload of workloads) {
          const known = latest.get(workload.workloadId)
          latest.set(workload.workloadId, {
            ...toPlacement(node, workload),
            error: known?.error,
            unchanged: known?.unchanged
          })
        }
  }
  return [...latest.values()]
}

/** A copy as the node told it; every text made safe to show. */
export function toPlacement(
  node: { readonly peerId: string; readonly name: string },
  workload: Workload,
  { errorCode, unchanged }: { errorCode?: string; unchanged?: boolean } = {}
): Placement {
  const message = safeText(workload.message ?? '')
  const failed = workload.state === 'failed'
  return {
    peerId: node.peerId,
    node: node.name,
    workloadId: safeText(workload.workloadId, 63),
    ordinal: workload.ordinal,
    state: workload.state,
    ports: workload.ports.map(({ containerPort, hostPort, hostIp, protocol }) => ({
      containerPort,
      hostPort,
      hostIp: hostIp && safeText(hostIp, 64),
      protocol
    })),
    engine: safeText(workload.engine, 32),
    stats: workload.stats,
    unchanged: unchanged || undefined,
    error: failed ? { code: safeText(errorCode ?? 'START_FAILED', 64), message } : undefined
  }
}

/** A copy that a node could not be asked for, or that it refused. */
export function failedPlacement(node: SeenNode, ordinal: number, error: Error): Placement {
  const code = isBeemeshError(error)
    ? error.code
    : error.name === 'TimeoutError'
      ? 'TIMED_OUT'
      : 'CONNECTION_LOST'
  const hint = isBeemeshError(error) ? error.hint : undefined
  return {
    peerId: node.peerId,
    node: node.name,
    workloadId: '',
    ordinal,
    state: 'failed',
    ports: [],
    error: { code, message: error.message, hint }
  }
}

function staleAt(failures: readonly Error[]): number | undefined {
  const highest = failures
    .filter((error) => error instanceof RemoteError && error.code === 'VERSION_STALE')
    .map((error) => Number((error as RemoteError).details.highest))
    .filter((version) => Number.isSafeInteger(version))
  return highest.length === 0 ? undefined : Math.max(...highest)
}
