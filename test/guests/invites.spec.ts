import { expect } from 'chai'
import { Invites } from '../../src/guests/invites.ts'
import {
  generateSigningKey,
  openNetwork,
  type SigningKey,
  signingKeyFromSeed
} from '../../src/identity/index.ts'
import { memoryStore } from '../../src/store/index.ts'
import {
  encodeChain,
  type GrantInit,
  openMembership,
  ownersOnly,
  proveInvite,
  signGrant
} from '../../src/trust/index.ts'

const NOW_MS = 1_800_000_000_000
const HOUR_MS = 3_600_000

describe('guests: invites', () => {
  const network = openNetwork('invites')
  const [owner, node, joiner, second] = Array.from({ length: 4 }, generateSigningKey)
  const seed = new Uint8Array(32).fill(3)
  const context = { networkId: network.id, nowMs: NOW_MS }
  let store: ReturnType<typeof memoryStore>
  let invites: Invites

  const open = async () => {
    invites = new Invites({ key: node!, networkId: network.id, store })
    await invites.open(NOW_MS)
  }
  beforeEach(async () => {
    store = memoryStore()
    await open()
  })

  const inviteBy = (by = owner!, init: Partial<GrantInit> = {}) =>
    encodeChain([
      signGrant(by, {
        subject: node!.publicKey,
        actions: ['member'],
        delegations: 1,
        notAfter: NOW_MS + 100 * HOUR_MS,
        inviteKey: signingKeyFromSeed(seed).publicKey,
        redeemBefore: NOW_MS + HOUR_MS,
        ...context,
        ...init
      })
    ])
  const redeem = (
    chain: Uint8Array,
    {
      who = joiner!,
      nowMs = NOW_MS,
      proofOf
    }: { who?: SigningKey; nowMs?: number; proofOf?: SigningKey } = {}
  ) => {
    const proof = proveInvite(seed, (proofOf ?? who).publicKey, network.id)
    const trust = { ...ownersOnly(new Set([owner!.peerId])), nowMs }
    return invites.redeem({ chain, proof } as never, who.peerId, trust)
  }
  const codeOf = (act: Promise<unknown>) =>
    act.then(
      () => 'let in',
      (error) => error.code
    )

  it('make the node that holds one a member, from the owner’s root', async () => {
    const chain = await redeem(inviteBy())
    const membership = openMembership(chain, { subject: joiner!.publicKey, ...context })
    expect(membership.issuer).to.equal(owner!.peerId)
    expect(membership.chain.links.map(({ issuer }) => issuer)).to.deep.equal([owner!.peerId, node!.peerId])
  })

  it('are good for one node, which may ask again, also after a restart', async () => {
    const invite = inviteBy()
    await redeem(invite)
    expect(await codeOf(redeem(invite))).to.equal('let in')
    expect(await codeOf(redeem(invite, { who: second! }))).to.equal('INVITE_USED')
    await open()
    expect(await codeOf(redeem(invite, { who: second! }))).to.equal('INVITE_USED')
    expect(await codeOf(redeem(invite))).to.equal('let in')
  })

  it('are good for one of two that ask at the same moment', async () => {
    const invite = inviteBy()
    const codes = await Promise.all([codeOf(redeem(invite)), codeOf(redeem(invite, { who: second! }))])
    expect(codes.sort()).to.deep.equal(['INVITE_USED', 'let in'])
  })

  it('end at their time, though the membership lasts', async () => {
    const invite = inviteBy()
    expect(await codeOf(redeem(invite, { nowMs: NOW_MS + HOUR_MS - 1 }))).to.equal('let in')
    expect(await codeOf(redeem(inviteBy(owner, { delegations: 2 }), { nowMs: NOW_MS + HOUR_MS }))).to.equal(
      'INVITE_EXPIRED'
    )
  })

  it('are refused by a stranger, for another node, without the key, or when they are none', async () => {
    expect(await codeOf(redeem(inviteBy(second)))).to.equal('INVITE_INVALID')
    expect(await codeOf(redeem(inviteBy(owner, { subject: second!.publicKey })))).to.equal('INVITE_INVALID')
    expect(await codeOf(redeem(inviteBy(), { proofOf: second! }))).to.equal('INVITE_INVALID')
    expect(await codeOf(redeem(inviteBy(owner, { inviteKey: undefined })))).to.equal('INVITE_INVALID')
    expect(await codeOf(redeem(inviteBy(owner, { delegations: 0 })))).to.equal('INVITE_INVALID')
    expect(await codeOf(redeem(inviteBy(owner, { actions: ['apply'] })))).to.equal('INVITE_INVALID')
    expect(await codeOf(redeem(new Uint8Array(40)))).to.equal('MESSAGE_MALFORMED')
  })
})
