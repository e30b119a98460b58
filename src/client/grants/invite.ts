import { createHash, randomBytes } from 'node:crypto'
import { concat, equalBytes } from '../../common/index.ts'
import { decode, hasIdentifier } from '../../envelope/index.ts'
import { encodeInvite, INVITE, type Invite } from '../../generated/fbs/index.ts'
import { type Network, openNetwork, privateNetwork, signingKeyFromSeed } from '../../identity/index.ts'
import { GRANT_LIFETIME_MS } from '../../trust/index.ts'
import type { Session } from '../connection/session.ts'
import { ClientError } from '../errors.ts'
import type { SeenNode } from '../nodes.ts'
import { createGrant } from './grants.ts'

const PREFIX = 'beemesh-invite:'
const MAX_LENGTH = 16_384
const CHECKSUM_BYTES = 4
/** Addresses in an invite, the first of the node's own. Chosen: the line stays below 1,200 characters. */
const MAX_ADDRESSES = 6

export interface InviteInit {
  readonly network: Network
  /** Who lets the new node in, once; it must be reachable by then. */
  readonly node: Pick<SeenNode, 'publicKey' | 'addresses'>
  /** ms since epoch. */
  readonly redeemBefore: number
}

/**
 * One line with which one machine may join: addresses, the network's key, and a grant that the inviting node turns into a membership.
 * Secret: whoever has it may join.
 */
export function createInvite(session: Session, { network, node, redeemBefore }: InviteInit): string {
  const seed = new Uint8Array(randomBytes(32))
  const chain = createGrant(session, {
    subject: node.publicKey,
    actions: ['member'],
    delegations: 1,
    notAfter: Date.now() + GRANT_LIFETIME_MS,
    inviteKey: signingKeyFromSeed(seed).publicKey,
    redeemBefore
  })
  const bytes = encodeInvite({
    network: network.name,
    networkSecret: network.open ? undefined : network.secret,
    node: node.publicKey,
    addresses: node.addresses.slice(0, MAX_ADDRESSES),
    chain: chain.bytes,
    inviteSeed: seed
  })
  return PREFIX + Buffer.from(concat(checksum(bytes), bytes)).toString('base64url')
}

/** @throws ClientError INVITE_TEXT_INVALID also when a part of the line is missing; EnvelopeError */
export function parseInvite(text: string): Invite & { readonly networkOf: Network } {
  const trimmed = text.trim()
  if (!trimmed.startsWith(PREFIX) || trimmed.length > MAX_LENGTH) throw invalid()
  const all = new Uint8Array(Buffer.from(trimmed.slice(PREFIX.length), 'base64url'))
  const bytes = all.slice(CHECKSUM_BYTES)
  if (!equalBytes(all.subarray(0, CHECKSUM_BYTES), checksum(bytes)) || !hasIdentifier(bytes, INVITE))
    throw invalid()
  const invite = decode(INVITE, bytes)
  const { network, networkSecret } = invite
  const networkOf =
    networkSecret === undefined ? openNetwork(network) : privateNetwork(network, networkSecret)
  return { ...invite, networkOf }
}

/** Tells a line that was cut off or changed on its way; no protection against anybody. */
function checksum(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest().subarray(0, CHECKSUM_BYTES))
}

function invalid(): ClientError {
  return new ClientError('INVITE_TEXT_INVALID', 'this is no invite, or a part of it is missing', {
    hint: `An invite is one line that begins with ${PREFIX}; "beemesh invite" prints it.`
  })
}
