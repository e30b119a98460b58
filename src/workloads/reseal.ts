import { isBeemeshError } from '../common/index.ts'
import { publicKeyFromPeerId } from '../identity/index.ts'
import { formatManifestId } from '../manifest/index.ts'
import { openContentKey, type SealingKey, sealContentKey } from '../sealing/index.ts'
import type { Context } from './context.ts'
import { openRecord } from './open-record.ts'
import type { Release } from './types.ts'

/**
 * Seals the content keys of everything held here that is under one key of this node to another one. On disk when it resolves, also what
 * was being applied when it was called. What does not open is left: nobody can open it, and it must not keep old keys alive.
 */
export async function reseal(context: Context, from: SealingKey, to: SealingKey): Promise<void> {
  const { lanes, table } = context
  await lanes.idle() // because an apply that has opened its key may not be in the table yet
  for (const { manifestId } of table.live())
    await lanes.run(formatManifestId(manifestId), () => resealOne(context, manifestId, { from, to }))
}

interface Keys {
  readonly from: SealingKey
  readonly to: SealingKey
}

async function resealOne(context: Context, manifestId: Uint8Array, keys: Keys): Promise<void> {
  context.signal.throwIfAborted()
  const before = context.table.get(manifestId)
  if (before === undefined) return
  const content = await resealed(context, before.owner, before, keys)
  const nextContent = before.next && (await resealed(context, before.owner, before.next, keys))
  const past = new Map<number, Release['content']>()
  for (const release of before.history ?? []) {
    const again = await resealed(context, before.owner, release, keys)
    if (again !== undefined) past.set(release.version, again)
  }
  if (content === undefined && nextContent === undefined && past.size === 0) return
  // read again, because copies change outside of the lane
  const now = context.table.get(manifestId)
  if (now === undefined) return
  const next = now.next && { ...now.next, content: nextContent ?? now.next.content }
  const history = now.history?.map((one) => ({ ...one, content: past.get(one.version) ?? one.content }))
  await context.table.put({ ...now, content: content ?? now.content, next, history })
}

/** The content with its key sealed anew; undefined: there is nothing to do. */
async function resealed(
  { init, log }: Context,
  owner: string,
  { record, content }: Pick<Release, 'record' | 'content'>,
  { from, to }: Keys
): Promise<Release['content']> {
  if (content === undefined || content.sealedKey.sealingEpoch !== from.epoch) return undefined
  const author = publicKeyFromPeerId(owner)
  const { network, key } = init
  try {
    const about = openRecord(record, { author, networkId: network.id, nowMs: 0, tombstone: false })
    const { manifestId, version, keyCommitment: commitment } = about
    if (commitment === undefined) return undefined
    const wrap = {
      networkId: network.id,
      owner: author,
      manifestId,
      version,
      commitment,
      recipient: key.publicKey
    }
    const { enc, ciphertext } = content.sealedKey
    const contentKey = await openContentKey({ ...wrap, enc, ciphertext, sealingKey: from })
    const sealed = await sealContentKey({ ...wrap, key: contentKey, sealingPublicKey: to.publicKey })
    contentKey.fill(0)
    return { ...content, sealedKey: { recipient: key.publicKey, sealingEpoch: to.epoch, ...sealed } }
  } catch (error) {
    if (!isBeemeshError(error)) throw error
    log.error('a content key does not open and cannot be sealed anew: %e', error)
    return undefined
  }
}
