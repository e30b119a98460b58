import { equalBytes } from '../../common/index.ts'
import { encodeStatusReply, type Query } from '../../generated/fbs/index.ts'
import type { OwnerRequest, Responder } from '../../wire/index.ts'
import { type Context, toWire } from '../context.ts'
import type { StoredManifest } from '../types.ts'

/** Manifests in one frame; each may have 64 copies with a message. Chosen so that a frame stays below its limit. */
const MANIFESTS_PER_FRAME = 8

/** What this node holds of the asker's manifests; never of another owner's. */
export async function status(
  context: Context,
  { authorPeerId, payload, reply }: OwnerRequest<Query>
): Promise<void> {
  const wanted = payload.manifestIds.map(({ value }) => value)
  const held = context.table
    .live()
    .filter(({ owner }) => owner === authorPeerId)
    .filter(({ manifestId }) => wanted.length === 0 || wanted.some((id) => equalBytes(id, manifestId)))
  await sendStatus(context, reply, held)
}

/** Ends an answer with the state of these manifests. */
export async function sendStatus(
  context: Context,
  reply: Responder,
  held: readonly StoredManifest[]
): Promise<void> {
  const nodeName = context.init.nodeName
  for (let from = 0; from === 0 || from < held.length; from += MANIFESTS_PER_FRAME) {
    const manifests = held.slice(from, from + MANIFESTS_PER_FRAME).map((manifest) => ({
      manifestId: manifest.manifestId,
      version: manifest.version,
      kind: manifest.kind,
      name: manifest.name,
      namespace: manifest.namespace,
      replicas: manifest.replicas,
      workloads: manifest.workloads.map(toWire)
    }))
    await reply.send(encodeStatusReply({ nodeName, manifests }), {
      last: from + MANIFESTS_PER_FRAME >= held.length
    })
  }
}
