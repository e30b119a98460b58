import { type Abortable, safeText } from '../../common/index.ts'
import { decode, hasIdentifier } from '../../envelope/index.ts'
import { encodeEvictRequest, type ManifestStatus, PROGRESS, STATUS_REPLY } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../../identity/index.ts'
import { formatManifestId, parseManifestId } from '../../manifest/index.ts'
import { toPlacement } from '../apply/placement.ts'
import type { Session } from '../connection/session.ts'
import type { SeenNode } from '../nodes.ts'
import { notFound, onlyOne } from '../resolve/references.ts'
import type { Placement, ProgressEvent } from '../types.ts'

/** What a guest runs on a node, as the node tells the machine's owner. */
export interface GuestManifest {
  readonly manifestId: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
  /** u64 as a decimal string. */
  readonly version: string
  /** Peer ID of the guest. */
  readonly owner: string
  readonly placements: readonly Placement[]
}

export interface EvictOptions extends Abortable {
  /** Lasting volumes too, and what is in them. @default false */
  readonly volumes?: boolean
  /** The node takes no newer version of it for so long. 0: only this version is refused */
  readonly refuseSeconds: number
  readonly onProgress?: (event: ProgressEvent) => void
}

/** What the asker could stop there. */
export async function guestsOn(
  session: Session,
  node: SeenNode,
  { signal }: Abortable = {}
): Promise<GuestManifest[]> {
  const found: GuestManifest[] = []
  const encode = (replyKey: Uint8Array) => encodeEvictRequest({ replyKey })
  for await (const body of session.ask(node, 'evict', encode, { signal }))
    found.push(...decode(STATUS_REPLY, body).manifests.map((held) => toView(session, node, held)))
  return found
}

/**
 * Stops and forgets on one node what a guest runs there.
 * @param ref manifest ID, kind/name, or name, of what {@link guestsOn} tells
 * @throws ClientError REF_NOT_FOUND, REF_AMBIGUOUS
 */
export async function evictFrom(
  session: Session,
  node: SeenNode,
  ref: string,
  { signal, volumes, refuseSeconds, onProgress }: EvictOptions
): Promise<GuestManifest> {
  const matches = ({ manifestId, kind, name }: GuestManifest) =>
    ref === manifestId || ref === name || ref.toLowerCase() === `${kind}/${name}`.toLowerCase()
  const found = (await guestsOn(session, node, { signal })).filter(matches)
  const one = onlyOne(
    ref,
    found.map((guest) => ({ ...guest, id: guest.manifestId }))
  )
  if (one === undefined) throw notFound(ref, `no guest of yours runs it on ${node.name}`)
  const { id: _id, ...guest } = one
  const manifestId = parseManifestId(one.manifestId)
  const latest = new Map<string, Placement>()
  const encode = (replyKey: Uint8Array) =>
    encodeEvictRequest({ manifestId, replyKey, volumes, refuseSeconds })
  for await (const body of session.ask(node, 'evict', encode, { signal })) {
    if (!hasIdentifier(body, PROGRESS)) continue
    const placement = toPlacement(node, decode(PROGRESS, body).workload)
    latest.set(placement.workloadId, placement)
    onProgress?.({ ...placement, manifestId: one.manifestId, name: one.name })
  }
  return { ...guest, placements: [...latest.values()] }
}

function toView(session: Session, node: SeenNode, held: ManifestStatus): GuestManifest {
  return {
    manifestId: formatManifestId(held.manifestId),
    kind: safeText(held.kind, 32),
    name: safeText(held.name, 253),
    namespace: safeText(held.namespace, 63),
    version: String(held.version),
    owner: held.owner === undefined ? session.key.peerId : peerIdFromPublicKey(held.owner),
    placements: held.workloads.map((workload) => toPlacement(node, workload))
  }
}
