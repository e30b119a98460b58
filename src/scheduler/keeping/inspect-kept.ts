import { equalBytes } from '../../common/index.ts'
import type { HeldVersionInit } from '../../generated/fbs/index.ts'
import type { Kept, World } from '../types.ts'

/** What a keeper or holder has of a manifest, as `inspect` shows it to the owner: it cannot read the document. */
export function inspectKept({ record, bundle }: Kept, world: Pick<World, 'key'>): HeldVersionInit {
  const self = world.key.publicKey
  const own = bundle.sealedKeys.find(({ recipient }) => equalBytes(recipient, self))
  return {
    manifestId: record.manifestId,
    record: bundle.record,
    ciphertextBytes: bundle.ciphertext?.byteLength ?? 0,
    sealingEpoch: own?.sealingEpoch ?? 0,
    shares: bundle.sealedShares.filter(({ recipient }) => equalBytes(recipient, self)).length
  }
}
