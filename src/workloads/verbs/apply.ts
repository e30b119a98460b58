import { equalBytes } from '../../common/index.ts'
import type { ApplyRequest } from '../../generated/fbs/index.ts'
import { encodeProgress } from '../../generated/fbs/index.ts'
import { formatManifestId } from '../../manifest/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import { acceptCopies } from '../accept/accept-copies.ts'
import { type Context, toWire } from '../context.ts'
import type { Report } from '../copies/release.ts'
import { openRecord } from '../open-record.ts'
import { sendStatus } from './status.ts'

/**
 * Runs the copies an owner assigned to this node. From "accepted" on it is on disk, here and with its keepers, and goes on whether or not
 * the owner stays to watch. Frames: progress of every copy, then the status of the manifest.
 */
export async function apply(
  context: Context,
  { author, authorPeerId, payload, reply, signal }: OwnerRequest<ApplyRequest>
): Promise<void> {
  const { init, now } = context
  const networkId = init.network.id
  const record = openRecord(payload.record, { author, networkId, nowMs: now(), tombstone: false })
  const { sealedKeys, sealedShares, ciphertext, ordinals } = payload
  const bundle = { record: payload.record, ciphertext, sealedKeys, sealedShares }
  const stored = await context.lanes.run(formatManifestId(record.manifestId), async () => {
    // because the same request may come twice; a key is not looked for then
    const sealedKey = sealedKeys.find(({ recipient }) => equalBytes(recipient, init.key.publicKey))
    const assignment = { owner: author, ownerPeerId: authorPeerId, record, bundle, ordinals }
    return acceptCopies(context, { ...assignment, sealedKey, signal, report: reporter(context, reply) })
  })
  await sendStatus(context, reply, [stored])
}

/** Sends progress without making the deployment wait for the asker, who may be slow or gone. */
function reporter(context: Context, reply: OwnerRequest<unknown>['reply']): Report {
  return ({ workload, errorCode, unchanged }) => {
    const body = encodeProgress({ workload: toWire(workload), errorCode, unchanged })
    reply.send(body).catch((error: unknown) => context.log('progress not delivered: %e', error))
  }
}
