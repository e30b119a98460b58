import { equalBytes, isBeemeshError } from '../../common/index.ts'
import { openContentKey, resealShare, type SealingKey, sealContentKey } from '../../sealing/index.ts'
import type { Bundle } from '../../workloads/index.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import type { Kept, World } from '../types.ts'

interface Keys {
  readonly from: SealingKey
  readonly to: SealingKey
}

/**
 * Seals what this node keeps for others, shares and content keys it stands by with, to the next of its keys. On disk when it resolves,
 * so that the key before may be destroyed. What does not open is left: nobody can open it.
 */
export async function resealKept(world: World, kept: KeptTable, keys: Keys): Promise<void> {
  for (const one of kept.all()) {
    const bundle = await resealed(world, one, keys)
    if (bundle !== undefined) await kept.reseal(one.record.manifestId, bundle)
  }
}

/** undefined: nothing in it is under the old key. */
async function resealed(
  world: World,
  { record, bundle }: Kept,
  { from, to }: Keys
): Promise<Bundle | undefined> {
  const self = world.key.publicKey
  const isOld = ({ recipient, sealingEpoch }: { recipient: Uint8Array; sealingEpoch: number }) =>
    equalBytes(recipient, self) && sealingEpoch === from.epoch
  const share = bundle.sealedShares.find(isOld)
  const key = bundle.sealedKeys.find(isOld)
  if (share === undefined && key === undefined) return undefined
  const { manifestId, version, owner, keyCommitment: commitment } = record
  const about = { networkId: world.networkId, owner, manifestId, version }
  try {
    let { sealedShares, sealedKeys } = bundle
    const said = record.shareHolders.find(({ index }) => index === share?.index)
    if (share !== undefined && said !== undefined) {
      const again = await resealShare({ ...about, sealed: share, commitment: said, from, to })
      sealedShares = sealedShares.map((one) => (one === share ? again : one))
    }
    if (key !== undefined && commitment !== undefined) {
      const wrap = { ...about, commitment, recipient: self }
      const { enc, ciphertext } = key
      const contentKey = await openContentKey({ ...wrap, enc, ciphertext, sealingKey: from })
      const sealed = await sealContentKey({ ...wrap, key: contentKey, sealingPublicKey: to.publicKey })
      contentKey.fill(0)
      const again = { recipient: self, sealingEpoch: to.epoch, ...sealed }
      sealedKeys = sealedKeys.map((one) => (one === key ? again : one))
    }
    return { ...bundle, sealedShares, sealedKeys }
  } catch (error) {
    if (!isBeemeshError(error)) throw error
    world.log.error('what is kept of a manifest does not open and cannot be sealed anew: %e', error)
    return undefined
  }
}
