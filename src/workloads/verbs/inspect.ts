import { equalBytes, isBeemeshError } from '../../common/index.ts'
import { encodeInspection, type HeldVersionInit, type Query } from '../../generated/fbs/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import { mayAsk } from '../access.ts'
import { type Context, openStored } from '../context.ts'
import type { Release, StoredManifest } from '../types.ts'

/** Source: fbs/inspection.fbs */
const MAX_HELD = 32

/**
 * What this node holds of some manifests and can open of it, found out now. A manifest that the asker may not ask about is as if it were
 * not here; so is one that was not named.
 */
export async function inspect(
  context: Context,
  { authorPeerId, payload, reply }: OwnerRequest<Query>
): Promise<void> {
  const ids = payload.manifestIds.map(({ value }) => value)
  const held: HeldVersionInit[] = []
  for (const manifest of context.table.all()) {
    if (!ids.some((id) => equalBytes(id, manifest.manifestId))) continue
    if (!mayAsk(context, authorPeerId, 'inspect', manifest)) continue
    for (const release of [manifest, ...(manifest.next === undefined ? [] : [manifest.next])])
      held.push(await heldOf(context, manifest, release))
  }
  // because what is kept for others is no business of this service; each part answers for itself
  for (const id of ids) held.push(...(await (context.init.keptOf?.(id, authorPeerId) ?? [])))
  const body = encodeInspection({ nodeName: context.init.nodeName, held: held.slice(0, MAX_HELD) })
  await reply.send(body, { last: true })
}

async function heldOf(
  context: Context,
  { manifestId, owner }: StoredManifest,
  release: Release
): Promise<HeldVersionInit> {
  const { record, content, kind, name, namespace, workloads } = release
  const opened = content === undefined ? undefined : await documentOf(context, owner, release)
  return {
    manifestId,
    record,
    ciphertextBytes: content?.ciphertext.byteLength ?? 0,
    sealingEpoch: content?.sealedKey.sealingEpoch ?? 0,
    documentBytes: opened?.bytes ?? 0,
    documentDigest: opened?.digest,
    kind,
    name,
    namespace,
    copies: workloads.length
  }
}

/** The document, opened with what is here; undefined: it does not open. */
async function documentOf(
  context: Context,
  owner: string,
  release: Release
): Promise<{ bytes: number; digest: Uint8Array } | undefined> {
  try {
    const { digest, bytes } = await openStored(context, owner, release)
    return { bytes, digest }
  } catch (error) {
    if (!isBeemeshError(error)) throw error
    return undefined
  }
}
