import {
  type Abortable,
  equalBytes,
  isBeemeshError,
  safeText,
  toError,
  withDeadline
} from '../../common/index.ts'
import { decode, hasIdentifier } from '../../envelope/index.ts'
import {
  encodeApplyRequest,
  encodeDeleteRequest,
  PROGRESS,
  type SealedKeyInit,
  STATUS_REPLY,
  type Workload
} from '../../generated/fbs/index.ts'
import { formatManifestId, type Manifest } from '../../manifest/index.ts'
import { RemoteError } from '../../wire/index.ts'
import type { Session } from '../connection/session.ts'
import { ClientError } from '../errors.ts'
import { fetchHoldings } from '../holders.ts'
import type { SeenNode } from '../nodes.ts'
import type { ManifestResult, Placement, ProgressEvent } from '../types.ts'
import { chooseFenceKeepers } from './fence-keepers.ts'
import { inTurn } from './in-turn.ts'
import { placeManifest } from './place.ts'
import { idOf, type SealedManifest, sealManifest, signTombstone } from './seal.ts'
import { shareOut } from './share-out.ts'
import { paceAcross, stopsRollout, turnBack } from './turn-back.ts'

type ChosenNode = SeenNode & { readonly hints?: readonly string[] }

export interface ApplyOne extends Abortable {
  readonly session: Session
  /** Every node that is known. */
  readonly nodes: readonly SeenNode[]
  /** Those that take copies, in turn; none: the mesh is asked. */
  readonly to: readonly ChosenNode[]
  readonly onProgress?: (event: ProgressEvent) => void
  /** The version must be newer than this one. */
  readonly after?: number
}

/** Most nodes that one message names a sealed key for. Source: fbs/apply.fbs. */
const MAX_SEALED_KEYS = 16

/** Refusals after which nothing is withdrawn: the node may have taken it all the same, or another change of its owner won the race. */
const LEFT_ALONE: ReadonlySet<string> = new Set([
  'CONNECTION_LOST',
  'NODE_UNREACHABLE',
  'TIMED_OUT',
  'CANCELLED',
  'VERSION_STALE',
  'EQUIVOCATION'
])

/** Copies dealt out in turn: with nodes a, b and three copies, a takes 0 and 2, b takes 1. Nodes left without are left out. */
export function dealCopies<T>(replicas: number, nodes: readonly T[]): { node: T; ordinals: number[] }[] {
  const hands = nodes.map((node) => ({ node, ordinals: [] as number[] }))
  for (let ordinal = 0; ordinal < replicas; ordinal++) hands[ordinal % hands.length]!.ordinals.push(ordinal)
  return replicas === 0 ? hands.slice(0, 1) : hands.filter(({ ordinals }) => ordinals.length > 0)
}

/** Seals one manifest, hands it to its nodes and follows until every copy runs or has failed. Failures are in the result. */
export async function applyManifest(manifest: Manifest, options: ApplyOne): Promise<ManifestResult> {
  let version = Math.max(Date.now(), (options.after ?? 0) + 1)
  for (let attempt = 1; ; attempt++) {
    const result = await applyVersion(manifest, version, options)
    // because a clock that went back must not stop its owner: the node says which version it has seen
    const highest = staleAt(result.failures)
    if (highest === undefined || attempt > 1) {
      // what came too late for the asker is told as it is: there is no time left to turn it back
      const mayTurn = options.after === undefined && options.signal?.aborted !== true
      const back = mayTurn ? await tryTurnBack(result, options) : undefined
      if (back !== undefined) return back
      const { placements } = result.result
      const isRefused = placements.every(({ error }) => error !== undefined && !LEFT_ALONE.has(error.code))
      // because a node that ran it before may only be restarting, and say nothing of it now
      const isNew = result.updated.length === 0
      if (isRefused && isNew && placements.length > 0) await forget(result, options).catch(() => {})
      return result.result
    }
    version = Math.max(version, highest) + 1
  }
}

/**
 * Nothing of it runs, and nothing of it ran before: keepers need not keep it. What cannot be reached now is told by the others later.
 */
async function forget(
  { id, result: { version } }: Attempt,
  { session, nodes, signal }: ApplyOne
): Promise<void> {
  const holdings = await fetchHoldings(session, nodes, { manifestIds: [id], signal })
  const held = holdings.filter(({ manifests }) => manifests.length > 0)
  if (held.some(({ manifests }) => manifests.some(({ workloads }) => workloads.length > 0))) return
  const { key, connection } = session
  const nowMs = Date.now()
  const next = Math.max(Number(version) + 1, nowMs)
  const record = signTombstone(id, { key, networkId: connection.networkId, version: next, nowMs })
  const encode = (replyKey: Uint8Array) => encodeDeleteRequest({ record, replyKey })
  for (const { node } of held.slice(0, 1))
    for await (const _body of session.ask(node, 'delete', encode, { signal })) {
      // that it was taken is all there is to know
    }
}

async function tryTurnBack(
  { id, result, updated }: Attempt,
  options: ApplyOne
): Promise<ManifestResult | undefined> {
  const { session, signal } = options
  const failed = new Set(result.placements.filter(stopsRollout).map(({ peerId }) => peerId))
  const nodes = updated.toSorted((a, b) => Number(failed.has(b.peerId)) - Number(failed.has(a.peerId)))
  const reapply = (manifest: Manifest, after: number) =>
    applyManifest(manifest, { ...options, to: [], after })
  if (signal?.aborted) return undefined
  return turnBack(session, { id, result, nodes }, { reapply, signal })
}

interface Attempt {
  readonly id: Uint8Array
  readonly result: ManifestResult
  /** Nodes that ran an older version. */
  readonly updated: readonly ChosenNode[]
  readonly failures: readonly Error[]
}

async function applyVersion(manifest: Manifest, version: number, options: ApplyOne): Promise<Attempt> {
  const { session, nodes } = options
  const { key, connection } = session
  const { hands, unplaced, running } = await deal(manifest, options)
  if (hands.length === 0) return unplacedOnly(manifest, version, { session, unplaced })
  const { holders, threshold, standbys } = shareOut(nodes, { running: hands.map(({ node }) => node) })
  const isFenced = manifest.recovery.onPartition !== 'keep' && !manifest.perNode
  const { id } = idOf(key, connection.networkId, manifest)
  const fenceKeepers = isFenced
    ? await chooseFenceKeepers(id, { session, nodes, signal: options.signal })
    : []
  const sealed = await sealManifest(manifest, {
    key,
    networkId: connection.networkId,
    version,
    nodes: [...hands.map(({ node }) => node), ...standbys],
    holders,
    threshold,
    fenceKeepers,
    nowMs: Date.now()
  })
  const failures: Error[] = []
  const runs = ({ node }: { node: ChosenNode }) => running.has(node.peerId)
  const perNode = await inTurn(hands, {
    weightOf: (hand) => (runs(hand) ? Math.max(1, hand.ordinals.length) : 0),
    pace: paceAcross(manifest),
    hasFailed: (placements: Placement[]) => placements.some(stopsRollout),
    act: async ({ node, ordinals }): Promise<Placement[]> => {
      try {
        return await applyOn(node, ordinals, { ...options, manifest, sealed, standbys })
      } catch (thrown) {
        const error = toError(thrown)
        failures.push(error)
        return ordinals.map((ordinal) => failedPlacement(node, ordinal, error))
      }
    }
  })
  const placements = [...perNode.flat(), ...unplaced].sort((a, b) => a.ordinal - b.ordinal)
  const { kind, name, namespace } = manifest
  const manifestId = formatManifestId(sealed.manifestId)
  return {
    id: sealed.manifestId,
    result: { manifestId, kind, name, namespace, version: String(version), owner: key.peerId, placements },
    updated: hands.filter(runs).map(({ node }) => node),
    failures
  }
}

/** Nothing is sealed or sent, because there is nobody to send it to. */
function unplacedOnly(
  { kind, name, namespace, ...manifest }: Manifest,
  version: number,
  { session, unplaced }: { session: Session; unplaced: readonly Placement[] }
): Attempt {
  const { key, connection } = session
  const { id } = idOf(key, connection.networkId, { ...manifest, kind, name, namespace })
  const named = { manifestId: formatManifestId(id), kind, name, namespace }
  return {
    id,
    result: { ...named, version: String(version), owner: key.peerId, placements: unplaced },
    updated: [],
    failures: []
  }
}

/** Which node gets which copies: as the owner named them, or as the mesh bids. What fits nowhere is in the result. */
async function deal(
  manifest: Manifest,
  { session, nodes, to, signal }: ApplyOne
): Promise<{
  hands: readonly { node: ChosenNode; ordinals: readonly number[] }[]
  unplaced: Placement[]
  /** Peer IDs of nodes that run it already. */
  running: { has(peerId: string): boolean }
}> {
  if (to.length > 0)
    return {
      running: await runningOn(to, manifest, { session, signal }),
      hands: manifest.perNode
        ? to.map((node) => ({ node, ordinals: [0] }))
        : dealCopies(manifest.replicas, to),
      unplaced: []
    }
  const { hands, running, plan } = await placeManifest(manifest, { session, nodes, signal })
  const hint = 'See why with "beemesh apply --dry-run", or name nodes with --to.'
  const why = plan.summary === '' ? 'no node bids for it' : plan.summary
  const error = new ClientError('NOTHING_FITS', why, { retryable: true, hint })
  const unplaced = plan.unplaced.map((ordinal) => failedPlacement(NOBODY, ordinal, error))
  if (hands.length > 0 || unplaced.length > 0) return { hands, unplaced, running }
  // a manifest without copies: those that run some stop them, and where nobody does somebody must keep it all the same
  const stopping = nodes.filter(({ peerId }) => running.has(peerId))
  const told = stopping.length > 0 ? stopping : nodes.filter(({ entry }) => entry)
  return { hands: told.map((node) => ({ node, ordinals: [] })), unplaced, running }
}

async function runningOn(
  nodes: readonly ChosenNode[],
  manifest: Manifest,
  { session, signal }: Pick<ApplyOne, 'session' | 'signal'>
): Promise<Set<string>> {
  const { id } = idOf(session.key, session.connection.networkId, manifest)
  // a node that hangs is found out when it is asked to run something; until then it counts as one that runs nothing
  const limit = withDeadline(RUNNING_TIMEOUT_MS, signal)
  const asked = nodes.map((node) =>
    fetchHoldings(session, [node], { manifestIds: [id], signal: limit }).catch(() => [])
  )
  signal?.throwIfAborted()
  const holdings = (await Promise.all(asked)).flat()
  const runs = holdings.filter(({ manifests }) => manifests.some(({ workloads }) => workloads.length > 0))
  return new Set(runs.map(({ node }) => node.peerId))
}

/** Which of the named nodes run it already. Chosen: a round trip, and room for a busy machine. */
const RUNNING_TIMEOUT_MS = 1_000

/** In place of a node, of a copy that none takes. */
const NOBODY = { peerId: '', name: '-' }

async function applyOn(
  node: ChosenNode,
  ordinals: readonly number[],
  {
    session,
    manifest,
    sealed,
    standbys,
    onProgress,
    signal
  }: ApplyOne & { manifest: Manifest; sealed: SealedManifest; standbys: readonly SeenNode[] }
): Promise<Placement[]> {
  const latest = new Map<string, Placement>()
  const manifestId = formatManifestId(sealed.manifestId)
  const target = { publicKey: node.publicKey, addresses: node.hints ?? node.addresses }
  const sealedKeys = keysFor(node, standbys, sealed)
  const encode = (replyKey: Uint8Array) =>
    encodeApplyRequest({ ...sealed, sealedKeys, ordinals: [...ordinals], replyKey })
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

/** Keys for the node itself and for those that stand by; in small meshes all, so that every keeper keeps the same. */
function keysFor(
  node: ChosenNode,
  standbys: readonly SeenNode[],
  { sealedKeys }: SealedManifest
): SealedKeyInit[] {
  if (sealedKeys.length <= MAX_SEALED_KEYS) return [...sealedKeys]
  const own = [node, ...standbys].slice(0, MAX_SEALED_KEYS)
  return sealedKeys.filter(({ recipient }) => own.some(({ publicKey }) => equalBytes(recipient, publicKey)))
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
export function failedPlacement(
  node: Pick<SeenNode, 'peerId' | 'name'>,
  ordinal: number,
  error: Error
): Placement {
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
