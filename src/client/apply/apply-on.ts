import { equalBytes } from '../../common/index.ts'
import { decode, hasIdentifier } from '../../envelope/index.ts'
import { encodeApplyRequest, PROGRESS, type SealedKeyInit, STATUS_REPLY } from '../../generated/fbs/index.ts'
import { formatManifestId, type Manifest } from '../../manifest/index.ts'
import type { SeenNode } from '../nodes.ts'
import type { Placement } from '../types.ts'
import type { ApplyOne } from './apply-manifest.ts'
import type { ChosenNode } from './deal.ts'
import { toPlacement } from './placement.ts'
import type { SealedManifest } from './seal.ts'

/** Most nodes that one message names a sealed key for. Source: fbs/apply.fbs. */
const MAX_SEALED_KEYS = 16

/** Hands a sealed manifest to one node and follows until its copies run or have failed. */
export async function applyOn(
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
