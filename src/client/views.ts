import { safeText } from '../common/index.ts'
import type { ManifestStatus } from '../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../identity/index.ts'
import type { ProviderView } from '../providers/index.ts'
import { WireError } from '../wire/index.ts'
import { toPlacement } from './apply/placement.ts'
import { type HeldManifest, type Holding, healthOf } from './holders.ts'
import type { SeenNode } from './nodes.ts'
import type { FoundProvider, ManifestStatusView } from './types.ts'

export type Shown = HeldManifest & {
  readonly silent: readonly SeenNode[]
  /** Not every node was asked. @default false */
  readonly isPartial?: boolean
}

/** A manifest with all who hold it, as it is shown. @param self peer ID of who asks */
export function toView(
  { id, manifest, holders, silent, isPartial = false }: Shown,
  self: string
): ManifestStatusView {
  const placements = holders.flatMap(({ node, status }) =>
    status.workloads.map((workload) => toPlacement(node, workload))
  )
  return {
    manifestId: id,
    kind: safeText(manifest.kind, 32),
    name: safeText(manifest.name, 253),
    namespace: safeText(manifest.namespace, 63),
    version: String(manifest.version),
    owner: manifest.owner === undefined ? self : peerIdFromPublicKey(manifest.owner),
    replicas: manifest.replicas,
    placements: placements.sort((a, b) => a.ordinal - b.ordinal),
    ...healthOf(manifest, { holders, hasSilent: silent.length > 0, isPartial }),
    unanswered: silent.length === 0 ? undefined : silent.map(({ name }) => name)
  }
}

/** Whether a node runs a manifest, or did; not only keeps it, and could say nothing of it. */
export function isRunner({ status }: { readonly status: ManifestStatus }): boolean {
  return status.name !== ''
}

export function silentOf(holdings: readonly Holding[]): SeenNode[] {
  return holdings.filter(({ error }) => error !== undefined).map(({ node }) => node)
}

/** Copies that the manifest asks for and no node that answered holds. */
export function missingOrdinals({ manifest, holders }: HeldManifest): number[] {
  const held = new Set(holders.flatMap(({ status }) => status.workloads.map(({ ordinal }) => ordinal)))
  return Array.from({ length: manifest.replicas }, (_, ordinal) => ordinal).filter(
    (ordinal) => !held.has(ordinal)
  )
}

/** A copy that may run where nobody could be told of its end; once the node is back its keepers tell it. */
export function unanswered(node: SeenNode): WireError {
  return new WireError(
    'NODE_UNREACHABLE',
    `${node.name} did not answer; a copy it may hold goes on running until it is back`,
    { retryable: true, hint: 'It is stopped by the keepers when the node is back, or delete again.' }
  )
}

export function toFound(view: ProviderView): FoundProvider[] {
  const ageMs = Math.max(0, Date.now() - view.issuedAtMs)
  return view.workloads.map((workload) => {
    const {
      peerId,
      node,
      engine = '',
      workloadId,
      state,
      ports
    } = toPlacement({ peerId: view.peerId, name: view.nodeName }, workload)
    return { peerId, node, engine, workloadId, state, source: view.source, ageMs, ports }
  })
}
