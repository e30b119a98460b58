import { expect } from 'chai'
import { EnvelopeError, signObject } from '../../src/envelope/index.ts'
import { encodeGrant } from '../../src/generated/fbs/index.ts'
import { generateSigningKey, openNetwork } from '../../src/identity/index.ts'
import { MEMBERSHIP_LIFETIME_MS, openMembership, signMembership, TrustError } from '../../src/trust/index.ts'

const NOW_MS = 1_800_000_000_000
const owner = generateSigningKey()
const node = generateSigningKey()
const networkId = openNetwork('test').id
const subject = node.publicKey
const context = { subject, networkId, nowMs: NOW_MS }
const grant = signMembership(owner, context)

/** The code it is refused with. */
function refusal(bytes: Uint8Array, changed: Partial<typeof context> = {}): string {
  try {
    openMembership(bytes, { ...context, ...changed })
  } catch (error) {
    if (error instanceof TrustError || error instanceof EnvelopeError) return error.code
    throw error
  }
  return 'accepted'
}

describe('trust: membership', () => {
  it('says who issued it and until when', () => {
    const { issuer, notAfter, chain } = openMembership(grant, context)
    expect(issuer).to.equal(owner.peerId)
    expect(notAfter).to.equal(NOW_MS + MEMBERSHIP_LIFETIME_MS)
    expect(chain.links).to.have.lengthOf(1)
  })

  it('is refused for another node and in another network', () => {
    expect(refusal(grant, { subject: owner.publicKey })).to.equal('MEMBERSHIP_INVALID')
    expect(refusal(grant, { networkId: openNetwork('other').id })).to.equal('SIGNATURE_INVALID')
  })

  it('is refused before its time and from its last moment on, with 30 s for clocks that are behind', () => {
    expect(refusal(grant, { nowMs: NOW_MS - 30_000 })).to.equal('accepted')
    expect(refusal(grant, { nowMs: NOW_MS - 30_001 })).to.equal('MEMBERSHIP_INVALID')
    expect(refusal(grant, { nowMs: NOW_MS + MEMBERSHIP_LIFETIME_MS - 1 })).to.equal('accepted')
    expect(refusal(grant, { nowMs: NOW_MS + MEMBERSHIP_LIFETIME_MS })).to.equal('MEMBERSHIP_INVALID')
  })

  it('is refused when the grant gives something else', () => {
    const body = encodeGrant({ subject, actions: ['read'], notBefore: NOW_MS, notAfter: NOW_MS + 1000 })
    expect(refusal(signObject({ kind: 'grant', body, key: owner, networkId }))).to.equal('MEMBERSHIP_INVALID')
  })

  it('is refused when any bit of it was changed', () => {
    for (let at = 0; at < grant.byteLength; at += 7) {
      const changed = grant.slice()
      changed[at] = changed[at]! ^ 0x10
      expect(refusal(changed), `byte ${at}`).not.to.equal('accepted')
    }
  })
})
