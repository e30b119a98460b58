import { toError } from '../../common/index.ts'
import { decode, hasIdentifier } from '../../envelope/index.ts'
import { encodeDeleteRequest, PROGRESS } from '../../generated/fbs/index.ts'
import type { Session } from '../connection/session.ts'
import { type HeldManifest, newestOf } from '../holders.ts'
import type { SeenNode } from '../nodes.ts'
import type { DeleteOptions, ManifestResult, Placement } from '../types.ts'
import { isRunner, missingOrdinals, unanswered } from '../views.ts'
import { fenceKeepersBefore } from './fence-keepers.ts'
import { failedPlacement, toPlacement } from './placement.ts'
import { signTombstone } from './seal.ts'

/** Has every node that runs a manifest, or else one that keeps it, stop and forget it. What fails is in the result. */
export async function deleteHeld(
  session: Session,
  held: HeldManifest & { readonly silent: readonly SeenNode[] },
  { signal, onProgress, volumes }: DeleteOptions
): Promise<ManifestResult> {
  const version = Math.max(Date.now(), newestOf(held) + 1)
  const { key, connection } = session
  const id = held.manifest.manifestId
  const nodes = held.holders.map(({ node }) => node)
  const fenceKeepers = await fenceKeepersBefore(id, { session, nodes, signal })
  const { networkId } = connection
  const record = signTombstone(id, { key, networkId, version, nowMs: Date.now(), fenceKeepers })
  const running = held.holders.filter(isRunner)
  const perNode = await Promise.all(
    (running.length > 0 ? running : held.holders.slice(0, 1)).map(async ({ node, status }) => {
      const last = new Map<string, Placement>()
      const encode = (replyKey: Uint8Array) => encodeDeleteRequest({ record, replyKey, volumes })
      try {
        for await (const body of session.ask(node, 'delete', encode, { signal })) {
          if (!hasIdentifier(body, PROGRESS)) continue
          const placement = toPlacement(node, decode(PROGRESS, body).workload)
          last.set(placement.workloadId, placement)
          onProgress?.({ ...placement, manifestId: held.id, name: held.manifest.name })
        }
        // a node that hears of it from a keeper first has nothing left to tell
        const untold = status.workloads.filter(({ workloadId }) => !last.has(workloadId))
        const stopped = untold.map((one) => toPlacement(node, { ...one, state: 'stopped' }))
        return [...last.values(), ...stopped]
      } catch (thrown) {
        return status.workloads.map(({ ordinal }) => failedPlacement(node, ordinal, toError(thrown)))
      }
    })
  )
  const missing = missingOrdinals(held)
  const unheard =
    missing.length === 0
      ? []
      : held.silent.map((node) => failedPlacement(node, missing[0]!, unanswered(node)))
  const { kind, name, namespace } = held.manifest
  const placements = [...perNode.flat(), ...unheard]
  return {
    manifestId: held.id,
    kind,
    name,
    namespace,
    version: String(version),
    owner: key.peerId,
    placements
  }
}
