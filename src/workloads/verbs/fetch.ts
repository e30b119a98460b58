import { equalBytes } from '../../common/index.ts'
import { encodeFetched, type FetchRequest } from '../../generated/fbs/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import type { Bundle } from '../accept/accept-copies.ts'
import { type Context, openStoredKey } from '../context.ts'
import { WorkloadsError } from '../errors.ts'
import { openKey, openRecord } from '../open-record.ts'
import type { PastRelease } from '../types.ts'

/**
 * Gives an owner back what it applied: as it encrypted it, with the content key, so that it can see that nobody changed it. Guests get what
 * they applied themselves and nothing else, because nobody but its owner could do anything with it.
 */
export async function fetch(
  context: Context,
  { authorPeerId, payload, reply }: OwnerRequest<FetchRequest>
): Promise<void> {
  const { manifestId, version } = payload
  const stored = context.table.get(manifestId)
  const runs = stored?.owner === authorPeerId && !stored.tombstone ? stored : undefined
  const history = runs?.history ?? []
  const wanted = runs === undefined ? undefined : find([runs, ...history], version)
  if (wanted !== undefined) {
    const key = await openStoredKey(context, authorPeerId, wanted)
    const { record, content } = wanted
    const past = history.map((one) => ({ version: one.version, record: one.record }))
    const body = encodeFetched({ record, ciphertext: content!.ciphertext, key, history: past })
    key.fill(0)
    return reply.send(body, { last: true })
  }
  const kept = context.init.keptFor?.().keptBundle(manifestId)
  if (kept?.owner !== authorPeerId || (version !== 0 && kept.version !== version))
    throw new WorkloadsError('MANIFEST_NOT_FOUND', 'this node does not hold that version of the manifest')
  const { record, ciphertext } = kept.bundle
  const key = await standbyKey(context, kept)
  await reply.send(encodeFetched({ record, ciphertext: key && ciphertext, key }), { last: true })
  key?.fill(0)
}

function find<T extends PastRelease>(releases: readonly T[], version: number): T | undefined {
  return releases.find((one) => one.content !== undefined && (version === 0 || one.version === version))
}

/** Where the owner sealed the content key to this node in case it is needed. */
async function standbyKey(
  { init }: Context,
  { bundle, ownerKey }: { readonly bundle: Bundle; readonly ownerKey: Uint8Array }
): Promise<Uint8Array | undefined> {
  const { network, key, sealingKey } = init
  const own = bundle.sealedKeys.find(({ recipient }) => equalBytes(recipient, key.publicKey))
  if (own === undefined) return undefined
  const context = { author: ownerKey, networkId: network.id, nowMs: 0, tombstone: false }
  const record = openRecord(bundle.record, context)
  return openKey(record, own, {
    owner: ownerKey,
    networkId: network.id,
    node: key.publicKey,
    sealingKey: sealingKey.stored
  })
}
