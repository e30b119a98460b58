import { verifyStrict } from '../envelope/index.ts'
import type { Redeem } from '../generated/fbs/index.ts'
import { publicKeyFromPeerId, type SigningKey } from '../identity/index.ts'
import { type Collection, jsonCodec, type Store } from '../store/index.ts'
import {
  extendChain,
  type GrantChain,
  inviteProofBytes,
  openChain,
  signGrant,
  type TrustState,
  whyNot
} from '../trust/index.ts'
import { MAX_REDEEMED } from './constants.ts'
import { GuestsError } from './errors.ts'

/** Who redeemed an invite, and until when that must be remembered. */
interface Redeemed {
  /** Peer ID. */
  readonly subject: string
  readonly notAfter: number
}

/** The invites that name this node, each good for one node. Remembered on disk, so that no restart makes one good again. */
export class Invites {
  readonly #key: SigningKey
  readonly #networkId: Uint8Array
  readonly #stored: Collection<Redeemed>
  readonly #redeemed = new Map<string, Redeemed>()

  constructor({ key, networkId, store }: { key: SigningKey; networkId: Uint8Array; store: Store }) {
    this.#key = key
    this.#networkId = networkId
    this.#stored = store.collection('redeemed', jsonCodec())
  }

  async open(nowMs: number): Promise<void> {
    for await (const [id, entry] of this.#stored.entries())
      if (entry.notAfter > nowMs) this.#redeemed.set(id, entry)
      else await this.#stored.delete(id)
  }

  /**
   * The membership of the node that asks. The same node may ask again, because an answer can be lost.
   * @param from peer ID of the node at the other end of the connection
   * @throws EnvelopeError, TrustError GRANT_INVALID; GuestsError INVITE_INVALID, INVITE_EXPIRED, INVITE_USED
   */
  async redeem({ chain: bytes, proof }: Redeem, from: string, trust: TrustState): Promise<Uint8Array> {
    const { networkId } = { networkId: this.#networkId }
    const chain = openChain(bytes, { networkId })
    const invite = this.#check(chain, trust)
    const subject = publicKeyFromPeerId(from)
    if (!verifyStrict(invite.inviteKey, inviteProofBytes(subject, networkId), proof))
      throw new GuestsError('INVITE_INVALID', 'the asking node does not prove that it holds the invite')
    await this.#remember(invite.id, { subject: from, notAfter: invite.notAfter })
    const grant = signGrant(this.#key, {
      subject,
      actions: ['member'],
      notBefore: invite.notBefore,
      notAfter: invite.notAfter,
      namespaces: chain.terms.namespaces,
      registries: chain.terms.registries,
      quota: chain.terms.quota,
      proof,
      networkId,
      nowMs: trust.nowMs
    })
    return extendChain(bytes, grant)
  }

  #check(chain: GrantChain, { owners, isRevoked, nowMs }: TrustState) {
    const invite = chain.links.at(-1)!
    const { inviteKey, redeemBefore, delegations, actions } = invite
    if (chain.subject !== this.#key.peerId || inviteKey === undefined || delegations === 0)
      throw new GuestsError('INVITE_INVALID', 'this is no invite of this node')
    if (!actions.includes('member'))
      throw new GuestsError('INVITE_INVALID', 'the invite does not give membership')
    const refusal = whyNot(chain, { roots: owners, isRevoked, nowMs })
    if (refusal !== undefined)
      throw new GuestsError('INVITE_INVALID', `the invite does not hold: ${refusal.reason}`)
    if (nowMs >= redeemBefore)
      throw new GuestsError('INVITE_EXPIRED', `the invite ended ${new Date(redeemBefore).toISOString()}`, {
        hint: 'Ask for a new one: beemesh invite'
      })
    return { ...invite, inviteKey }
  }

  async #remember(id: string, entry: Redeemed): Promise<void> {
    const before = this.#redeemed.get(id)
    if (before !== undefined && before.subject !== entry.subject)
      throw new GuestsError('INVITE_USED', 'another node has redeemed this invite', {
        hint: 'Every machine needs an invite of its own: beemesh invite'
      })
    if (before !== undefined) return
    if (this.#redeemed.size >= MAX_REDEEMED)
      throw new GuestsError('INVITE_INVALID', `this node has let in ${MAX_REDEEMED} nodes already`, {
        hint: 'Invite by another node.'
      })
    this.#redeemed.set(id, entry) // before it is on disk, so that two at the same moment do not both get in
    await this.#stored.put(id, entry)
  }
}
