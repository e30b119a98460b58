import { expect } from 'chai'
import { createGrant, Session } from '../../src/client/index.ts'
import { encodeTrustRequest, type TrustRequestInit } from '../../src/generated/fbs/index.ts'
import { generateSigningKey, publicKeyFromPeerId } from '../../src/identity/index.ts'
import { signMembership } from '../../src/trust/index.ts'
import { codeOfAsync } from '../envelope/fixtures.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'

const HOUR_MS = 3_600_000

describe('guests: who takes the place of an owner', () => {
  let mesh: Mesh
  let owner: Session
  before(async () => {
    mesh = await createMesh(1)
    owner = await mesh.session(0)
  })
  after(() => mesh?.close())

  const node = () => publicKeyFromPeerId(mesh.nodes[0]!.peerId)
  const networkId = () => owner.connection.networkId
  const tell = async (session: Session, what: Omit<TrustRequestInit, 'replyKey'>) => {
    const encode = (replyKey: Uint8Array) => encodeTrustRequest({ ...what, replyKey })
    for await (const _owners of session.ask({ publicKey: node() }, 'trust', encode));
  }

  it('is not whom a guest names, though its grant lets it change owners', async () => {
    const guest = generateSigningKey()
    const notAfter = Date.now() + HOUR_MS
    const chain = createGrant(owner, { subject: guest.publicKey, actions: ['admin'], notAfter })
    const session = new Session(guest, owner.connection, [chain])
    await tell(session, {}) // it may ask

    const successor = generateSigningKey().publicKey
    expect(await codeOfAsync(() => tell(session, { successor }))).to.equal('OWNERS_FIXED')
  })

  it('does not make the node a member by somebody whom it does not obey, nor another node', async () => {
    const about = { networkId: networkId(), nowMs: Date.now() }
    const byStranger = signMembership(generateSigningKey(), { ...about, subject: node() })
    expect(await codeOfAsync(() => tell(owner, { membership: byStranger }))).to.equal('OWNERS_FIXED')
    const ofAnother = signMembership(owner.key, { ...about, subject: generateSigningKey().publicKey })
    expect(await codeOfAsync(() => tell(owner, { membership: ofAnother }))).to.equal('MEMBERSHIP_INVALID')

    expect(mesh.nodes[0]!.services.members.self().memberOf).to.deep.equal([owner.key.peerId])
  })

  it('is an owner at once, and the node a member by both until the old key is taken out', async () => {
    const heir = generateSigningKey()
    const membership = signMembership(heir, { networkId: networkId(), nowMs: Date.now(), subject: node() })
    await tell(owner, { successor: heir.publicKey, membership })
    const { members } = mesh.nodes[0]!.services
    expect(members.self().memberOf).to.have.members([owner.key.peerId, heir.peerId])
    await tell(new Session(heir, owner.connection), { remove: [{ value: owner.key.publicKey }] })

    expect(members.self().memberOf).to.deep.equal([heir.peerId])
    expect(await codeOfAsync(() => tell(owner, {}))).to.equal('NOT_AUTHORISED')
  })
})
