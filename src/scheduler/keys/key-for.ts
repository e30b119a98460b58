import { equalBytes } from '../../common/index.ts'
import type { SealedKey } from '../../generated/fbs/index.ts'
import { sealContentKey } from '../../sealing/index.ts'
import type { Bundle } from '../../workloads/index.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import type { CheckedRecord, World } from '../types.ts'
import { obtainKey } from './obtain-key.ts'
import { ownShare } from './own-share.ts'

/**
 * The content key of a version sealed to this node: by its owner if it is among those, else had from others and sealed here.
 * @param what.assertWanted see {@link obtainKey} @throws SchedulerError KEY_UNAVAILABLE
 */
export async function keyFor(
  { world, kept, signal }: { readonly world: World; readonly kept: KeptTable; readonly signal: AbortSignal },
  record: CheckedRecord,
  {
    bundle,
    ordinals,
    assertWanted
  }: {
    readonly bundle: Bundle
    readonly ordinals: readonly number[]
    readonly assertWanted: () => void
  }
): Promise<SealedKey> {
  const recipient = world.key.publicKey
  // first as it is kept here, because that is sealed anew when this node's key is replaced
  const mine = kept.get(record.manifestId)
  const known =
    mine !== undefined && equalBytes(mine.record.digest, record.digest) ? mine.bundle.sealedKeys : []
  const own = [...known, ...bundle.sealedKeys].find((one) => equalBytes(one.recipient, recipient))
  if (own !== undefined && hasKey(world, own.sealingEpoch)) return own
  const standbys = bundle.sealedKeys.map((one) => one.recipient)
  const share = await ownShare(world, kept, record).catch(() => undefined) // then the others' must do
  const key = await obtainKey(world, record, { ordinals, standbys, own: share, assertWanted, signal })
  world.log('got the key for copies %s', ordinals.join())
  const { manifestId, version, owner, keyCommitment: commitment = new Uint8Array(32) } = record
  const about = { networkId: world.networkId, owner, manifestId, version, commitment }
  const sealingKey = world.sealingKey()
  const sealed = await sealContentKey({ ...about, key, recipient, sealingPublicKey: sealingKey.publicKey })
  key.fill(0)
  return { recipient, sealingEpoch: sealingKey.epoch, ...sealed }
}

function hasKey(world: World, epoch: number): boolean {
  try {
    return world.sealingKey(epoch).epoch === epoch
  } catch {
    return false // because it was destroyed: then others are asked
  }
}
