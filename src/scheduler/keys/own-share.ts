import { equalBytes } from '../../common/index.ts'
import { type OpenShare, openShare } from '../../sealing/index.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import type { CheckedRecord, World } from '../types.ts'

/** The share of a content key that this node holds, opened; undefined: it holds none of this version. Secret. @throws SealingError */
export async function ownShare(
  world: World,
  kept: KeptTable,
  record: CheckedRecord
): Promise<OpenShare | undefined> {
  const self = world.key.publicKey
  const { manifestId, version, owner } = record
  const held = kept.get(manifestId)
  const commitment = record.shareHolders.find(({ node }) => equalBytes(node, self))
  const sealed = held?.bundle.sealedShares.find(({ index }) => index === commitment?.index)
  if (commitment === undefined || sealed === undefined || held?.record.version !== version) return undefined
  const about = { networkId: world.networkId, owner, manifestId, version }
  return openShare({ ...about, sealed, commitment, sealingKey: world.sealingKey(sealed.sealingEpoch) })
}
