import type { PeerId } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { withDeadline } from '../common/index.ts'
import { encodeRedeem, REDEEMED } from '../generated/fbs/index.ts'
import { type Network, peerIdFromPublicKey, type SigningKey } from '../identity/index.ts'
import { type Membership, openMembership, proveInvite } from '../trust/index.ts'
import { PEER_PROTOCOLS, PeerWire } from '../wire/index.ts'
import { GUESTS_ERROR_CODES, GuestsError, type GuestsErrorCode } from './errors.ts'

/** To reach the inviting node and be answered, ms. Chosen: dead addresses before the right one take 2 s each. */
const REDEEM_TIMEOUT_MS = 30_000

export interface JoinInvite {
  /** Public key of the inviting node. */
  readonly node: Uint8Array
  readonly addresses: readonly string[]
  readonly chain: Uint8Array
  readonly inviteSeed: Uint8Array
}

/**
 * Redeems an invite at the node that it names: the new node's membership. May be repeated by the same node.
 * @throws GuestsError INVITE_INVALID, INVITE_EXPIRED, INVITE_USED; WireError when the node cannot be reached
 */
export async function redeemInvite(
  invite: JoinInvite,
  {
    key,
    network,
    registrar,
    connectionManager
  }: {
    readonly key: SigningKey
    readonly network: Network
    readonly registrar: Registrar
    readonly connectionManager: ConnectionManager
  }
): Promise<Membership> {
  const peer: PeerId = peerIdFromString(peerIdFromPublicKey(invite.node))
  const signal = withDeadline(REDEEM_TIMEOUT_MS)
  const addresses = invite.addresses.map((address) => multiaddr(`${address}/p2p/${peer}`))
  await connectionManager.openConnection(addresses.length > 0 ? addresses : peer, { signal })
  const wire = new PeerWire({ registrar, connectionManager, key, network })
  const proof = proveInvite(invite.inviteSeed, key.publicKey, network.id)
  const request = encodeRedeem({ chain: invite.chain, proof })
  const answer = { type: 'redeemed', root: REDEEMED } as const
  const { chain, code, message } = await wire.ask(peer, PEER_PROTOCOLS.redeem, request, answer, { signal })
  if (chain === undefined)
    throw new GuestsError(
      GUESTS_ERROR_CODES.find((known) => known === code) ?? ('INVITE_INVALID' satisfies GuestsErrorCode),
      message ?? 'the inviting node refused'
    )
  return openMembership(chain, { subject: key.publicKey, networkId: network.id, nowMs: Date.now() })
}
