import { toError } from '../../common/index.ts'
import { decode, hasIdentifier } from '../../envelope/index.ts'
import { encodeDeleteRequest, PROGRESS } from '../../generated/fbs/index.ts'
import { RemoteError } from '../../wire/index.ts'
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
  const asked = running.length > 0 ? running : held.holders.slice(0, 1)
  const perNode = await Promise.all(
    asked.map(async ({ node, status }): Promise<Deleted> => {
      const last = new Map<string, Placement>()
      const encode = (replyKey: Uint8Array) => encodeDeleteRequest({ record, replyKey, volumes })
      try {
        for await (const body of session.ask(node, 'delete', encode, { signal })) {
          if (!hasIdentifier(body, PROGRESS)) continue
          const placement = toPlacement(node, decode(PROGRESS, body).workload)
          last.set(placement.workloadId, placement)
          onProgress?.({ ...placement, manifestId: held.id, name: held.manifest.name })
        }
        return { node, status, last }
      } catch (thrown) {
        return { node, status, last, error: toError(thrown) }
      }
    })
  )
  const isTaken = perNode.some(({ error }) => error === undefined)
  const missing = missingOrdinals(held)
  const unheard =
    missing.length === 0
      ? []
      : held.silent.map((node) => failedPlacement(node, missing[0]!, unanswered(node)))
  const { kind, name, namespace } = held.manifest
  const placements = [...perNode.flatMap((one) => placementsOf(one, isTaken)), ...unheard]
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

/** What became of one node's copies. */
interface Deleted {
  readonly node: SeenNode
  readonly status: HeldManifest['holders'][number]['status']
  /** Told while it went on, the last of each. */
  readonly last: ReadonlyMap<string, Placement>
  readonly error?: Error
}

/** @param isTaken whether some node took the tombstone, so that there is nothing to fear of one that has let go of its copies since */
function placementsOf({ node, status, last, error }: Deleted, isTaken: boolean): Placement[] {
  const isGone = error instanceof RemoteError && error.code === 'MANIFEST_NOT_FOUND' && isTaken
  if (error !== undefined && !isGone)
    return status.workloads.map(({ ordinal }) => failedPlacement(node, ordinal, error))
  // a node that hears of it from a keeper first has nothing left to tell
  const untold = status.workloads.filter(({ workloadId }) => !last.has(workloadId))
  return [...last.values(), ...untold.map((one) => toPlacement(node, { ...one, state: 'stopped' }))]
}
