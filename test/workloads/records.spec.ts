import { expect } from 'chai'
import { type SealedManifest, sealManifest, signTombstone } from '../../src/client/apply/seal.ts'
import type { Session } from '../../src/client/index.ts'
import { encodeApplyRequest, encodeDeleteRequest } from '../../src/generated/fbs/index.ts'
import { generateSigningKey, publicKeyFromPeerId } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { type Outcome, send, signRequest } from '../fixtures/raw-request.ts'
import { deployment, pod, toYaml } from '../fixtures/workload-files.ts'

const YEAR_MS = 365 * 24 * 3_600_000

describe('workloads: records a node must refuse, though their owner may apply', () => {
  let mesh: Mesh
  let session: Session
  before(async () => {
    mesh = await createMesh(1)
    session = await mesh.session(0)
  })
  after(() => mesh?.close())

  const target = () => publicKeyFromPeerId(mesh.nodes[0]!.peerId)

  const seal = (document: object, overrides: Partial<Parameters<typeof sealManifest>[1]> = {}) =>
    sealManifest(parseManifests(toYaml(document))[0]!, {
      key: session.key,
      networkId: session.connection.networkId,
      version: Date.now(),
      nodes: [mesh.nodes[0]!.services.members.self()],
      nowMs: Date.now(),
      ...overrides
    })

  const apply = async (sealed: SealedManifest, ordinals = [0], changes: Partial<SealedManifest> = {}) => {
    const encode = (replyKey: Uint8Array) => encodeApplyRequest({ ...sealed, ...changes, ordinals, replyKey })
    const request = await signRequest(session, target(), { name: 'apply', encode })
    return send(session, 'apply', request.envelope, request)
  }

  const expectRefusal = ({ code, message }: Outcome, expected: string) => {
    expect(code, message).to.equal(expected)
    expect(message).to.match(/^\S.{12,}/)
  }

  it('signed by somebody else than the request', async () => {
    const sealed = await seal(pod({ name: 'borrowed' }), { key: generateSigningKey() })
    expectRefusal(await apply(sealed), 'RECORD_INVALID')
  })

  it('that has run out', async () => {
    const sealed = await seal(pod({ name: 'old' }), { nowMs: Date.now() - YEAR_MS - 1 })
    expectRefusal(await apply(sealed), 'RECORD_EXPIRED')
  })

  it('with the key sealed to another node', async () => {
    const self = mesh.nodes[0]!.services.members.self()
    const other = { ...self, publicKey: generateSigningKey().publicKey }
    expectRefusal(
      await apply(await seal(pod({ name: 'lost' }), { nodes: [other] })),
      'NOT_SEALED_FOR_THIS_NODE'
    )
  })

  it('for copies the manifest does not have, or one copy twice', async () => {
    const sealed = await seal(deployment({ name: 'few', replicas: 2 }))
    expectRefusal(await apply(sealed, [2]), 'RECORD_INVALID')
    expectRefusal(await apply(sealed, [0, 0]), 'RECORD_INVALID')
  })

  it('whose ciphertext was changed, or belongs to another manifest', async () => {
    const sealed = await seal(pod({ name: 'mine' }))
    const changed = sealed.ciphertext.slice()
    changed[changed.byteLength - 1] = changed[changed.byteLength - 1]! ^ 1
    const { code } = await apply(sealed, [0], { ciphertext: changed })
    expect(code).to.be.oneOf(['CIPHERTEXT_DIGEST_MISMATCH', 'CIPHERTEXT_INVALID'])
    const other = await seal(pod({ name: 'yours' }))
    const swapped = await apply(sealed, [0], { ciphertext: other.ciphertext })
    expect(swapped.code).to.be.oneOf(['CIPHERTEXT_DIGEST_MISMATCH', 'CIPHERTEXT_INVALID'])
  })

  it('of an older version than it has, or another one of the same version; the same one again is fine', async () => {
    const version = Date.now() + 1_000
    const sealed = await seal(pod({ name: 'versions' }), { version })
    expect(await apply(sealed)).to.include({ code: 'ok' })
    expect(await apply(sealed), 'an honest retry').to.include({ code: 'ok' })
    expectRefusal(
      await apply(await seal(pod({ name: 'versions' }), { version: version - 1 })),
      'VERSION_STALE'
    )
    const two = await seal(pod({ name: 'versions', command: ['sleep', '1'] }), { version })
    expectRefusal(await apply(two), 'EQUIVOCATION')
  })

  it('that is a tombstone where an apply is asked, and the other way round', async () => {
    const sealed = await seal(pod({ name: 'confused' }))
    const { key, connection } = session
    const about = { key, networkId: connection.networkId, version: Date.now(), nowMs: Date.now() }
    const tombstone = signTombstone(sealed.manifestId, { ...about, fenceKeepers: [] })
    expectRefusal(await apply(sealed, [0], { record: tombstone }), 'RECORD_INVALID')
    const encode = (replyKey: Uint8Array) => encodeDeleteRequest({ record: sealed.record, replyKey })
    const request = await signRequest(session, target(), { name: 'delete', encode })
    expectRefusal(await send(session, 'delete', request.envelope, request), 'RECORD_INVALID')
  })

  it('nothing of all that runs', async () => {
    const client = await mesh.client(0)
    const workloads = await client.workloads()
    expect(workloads.map(({ name }) => name)).to.deep.equal(['versions'])
  })
})
