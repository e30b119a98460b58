import { toError } from '../../common/index.ts'
import { formatManifestId, type Manifest } from '../../manifest/index.ts'
import { RemoteError } from '../../wire/index.ts'
import type { Session } from '../connection/session.ts'
import type { ManifestResult, Placement, ProgressEvent } from '../types.ts'
import { applyOn } from './apply-on.ts'
import { type ChosenNode, type DealOptions, deal } from './deal.ts'
import { chooseFenceKeepers } from './fence-keepers.ts'
import { inTurn } from './in-turn.ts'
import { failedPlacement } from './placement.ts'
import { idOf, sealManifest } from './seal.ts'
import { shareOut } from './share-out.ts'
import { paceAcross, stopsRollout, turnBack } from './turn-back.ts'
import { withdraw } from './withdraw.ts'

export interface ApplyOne extends DealOptions {
  readonly onProgress?: (event: ProgressEvent) => void
  /** The version must be newer than this one. */
  readonly after?: number
  /** Of what is fenced others let its copies run than before. @default false */
  readonly newFenceKeepers?: boolean | undefined
}

/** Refusals after which nothing is withdrawn: the node may have taken it all the same, or another change of its owner won the race. */
const LEFT_ALONE: ReadonlySet<string> = new Set([
  'CONNECTION_LOST',
  'NODE_UNREACHABLE',
  'TIMED_OUT',
  'CANCELLED',
  'VERSION_STALE',
  'EQUIVOCATION'
])

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
      if (isRefused && isNew && placements.length > 0)
        await withdraw(result.id, result.result.version, {
          ...options,
          fenceKeepers: result.fenceKeepers
        }).catch(() => {})
      return result.result
    }
    version = Math.max(version, highest) + 1
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
  readonly fenceKeepers: readonly Uint8Array[]
}

async function applyVersion(manifest: Manifest, version: number, options: ApplyOne): Promise<Attempt> {
  const { session, nodes } = options
  const { key, connection } = session
  const { hands, unplaced, running, note } = await deal(manifest, options)
  if (hands.length === 0) return unplacedOnly(manifest, version, { session, unplaced })
  const { holders, threshold, standbys } = shareOut(nodes, { running: hands.map(({ node }) => node) })
  const isFenced = manifest.recovery.onPartition !== 'keep' && !manifest.perNode
  const { id } = idOf(key, connection.networkId, manifest)
  const fenceKeepers = isFenced
    ? await chooseFenceKeepers(id, { session, nodes, isNew: options.newFenceKeepers, signal: options.signal })
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
    result: {
      manifestId,
      kind,
      name,
      namespace,
      version: String(version),
      owner: key.peerId,
      placements,
      ...(note === undefined ? {} : { note })
    },
    updated: hands.filter(runs).map(({ node }) => node),
    failures,
    fenceKeepers
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
    failures: [],
    fenceKeepers: []
  }
}

function staleAt(failures: readonly Error[]): number | undefined {
  const highest = failures
    .filter((error) => error instanceof RemoteError && error.code === 'VERSION_STALE')
    .map((error) => Number((error as RemoteError).details.highest))
    .filter((version) => Number.isSafeInteger(version))
  return highest.length === 0 ? undefined : Math.max(...highest)
}
