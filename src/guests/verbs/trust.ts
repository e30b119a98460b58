import { encodeOwnerList, type TrustRequest } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey, publicKeyFromPeerId } from '../../identity/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import { GuestsError } from '../errors.ts'
import type { GuestsContext } from './context.ts'

/** Whom this node obeys, and, when that is asked for, whom else from now on. */
export async function changeTrust(
  { trust, changeOwners }: GuestsContext,
  { payload, authorPeerId, reply, signal }: OwnerRequest<TrustRequest>
): Promise<void> {
  const add = payload.add.map(({ value }) => peerIdOf(value))
  const remove = payload.remove.map(({ value }) => peerIdOf(value))
  if (add.length + remove.length > 0) {
    if (changeOwners === undefined)
      throw new GuestsError('OWNERS_FIXED', 'the owners of this node cannot be changed while it runs')
    // because whoever locks himself out cannot undo it, and a node without an owner obeys nobody any more
    if (remove.includes(authorPeerId))
      throw new GuestsError('OWNERS_FIXED', 'an owner cannot take itself out', {
        hint: 'Let another owner do it, or change the owners file while the node is stopped.'
      })
    await changeOwners({ add, remove })
  }
  const owners = [...trust().owners].slice(0, 256).map((peerId) => ({ value: publicKeyFromPeerId(peerId) }))
  await reply.send(encodeOwnerList({ owners }), { last: true, signal })
}

function peerIdOf(publicKey: Uint8Array): string {
  if (publicKey.byteLength !== 32) throw new GuestsError('OWNERS_FIXED', 'an owner is an Ed25519 public key')
  return peerIdFromPublicKey(publicKey)
}
