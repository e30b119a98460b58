import { isBeemeshError } from '../../common/index.ts'
import { encodeOwnerList, type TrustRequest } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey, publicKeyFromPeerId } from '../../identity/index.ts'
import { type Membership, openMembership, TrustError } from '../../trust/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import { GuestsError } from '../errors.ts'
import type { GuestsContext } from './context.ts'

/** Whom this node obeys, and, when that is asked for, whom else from now on. */
export async function changeTrust(
  context: GuestsContext,
  { payload, authorPeerId, reply, signal }: OwnerRequest<TrustRequest>
): Promise<void> {
  const { trust, changeOwners } = context
  const { successor, membership } = payload
  const remove = payload.remove.map(({ value }) => peerIdOf(value))
  const succession =
    successor === undefined ? undefined : { from: authorPeerId, to: peerIdFromPublicKey(successor) }
  const add = [
    ...payload.add.map(({ value }) => peerIdOf(value)),
    ...(succession === undefined ? [] : [succession.to])
  ]
  if (add.length + remove.length > 0 || membership !== undefined) {
    if (changeOwners === undefined)
      throw new GuestsError('OWNERS_FIXED', 'the owners of this node cannot be changed while it runs')
    // because whoever locks himself out cannot undo it, and a node without an owner obeys nobody any more
    if (remove.includes(authorPeerId))
      throw new GuestsError('OWNERS_FIXED', 'an owner cannot take itself out', {
        hint: 'Let another owner do it, or change the owners file while the node is stopped.'
      })
    if (succession !== undefined && !trust().owners.has(authorPeerId))
      throw new GuestsError('OWNERS_FIXED', 'only an owner has a place that another key can take')
    if (membership !== undefined) assertMembership(context, membership, add)
    await changeOwners({ add, remove, succession, membership })
  }
  const owners = [...trust().owners].slice(0, 256).map((peerId) => ({ value: publicKeyFromPeerId(peerId) }))
  await reply.send(encodeOwnerList({ owners }), { last: true, signal })
}

/** @throws TrustError MEMBERSHIP_INVALID; GuestsError OWNERS_FIXED when it comes from nobody whom this node obeys */
function assertMembership(
  { self, networkId, trust }: GuestsContext,
  membership: Uint8Array,
  add: readonly string[]
): void {
  const { owners, nowMs } = trust()
  const { issuer } = open(membership, { subject: self, networkId, nowMs })
  if (!owners.has(issuer) && !add.includes(issuer))
    throw new GuestsError('OWNERS_FIXED', `the membership comes from ${issuer}, whom this node does not obey`)
}

function open(...[bytes, context]: Parameters<typeof openMembership>): Membership {
  try {
    return openMembership(bytes, context)
  } catch (cause) {
    if (!isBeemeshError(cause)) throw cause
    throw new TrustError('MEMBERSHIP_INVALID', cause.message, { cause })
  }
}

function peerIdOf(publicKey: Uint8Array): string {
  if (publicKey.byteLength !== 32) throw new GuestsError('OWNERS_FIXED', 'an owner is an Ed25519 public key')
  return peerIdFromPublicKey(publicKey)
}
