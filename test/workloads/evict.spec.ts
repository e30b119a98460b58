import { expect } from 'chai'
import { type SealedManifest, sealManifest } from '../../src/client/apply/seal.ts'
import { Client, changeTrust, createGrant, Session } from '../../src/client/index.ts'
import { encodeApplyRequest } from '../../src/generated/fbs/index.ts'
import { generateSigningKey, publicKeyFromPeerId, type SigningKey } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import type { GrantAction } from '../../src/trust/index.ts'
import { createLoneNode, type LoneNode } from '../fixtures/lone-node.ts'
import { send, signRequest } from '../fixtures/raw-request.ts'
import { deployment, pod, STRICT_SECURITY, toYaml } from '../fixtures/workload-files.ts'

/** Enough for all of it on any machine that runs the tests. */
const capacity = { machine: { cpuMillis: 64_000, memoryBytes: 64 * 2 ** 30, pods: 100 } }
const DAY_MS = 24 * 3_600_000

describe("workloads: what a machine's owner stops that a guest runs", () => {
  let lone: LoneNode
  let laterMs = 0
  beforeEach(async () => {
    laterMs = 0
    lone = await createLoneNode({}, { now: () => Date.now() + laterMs, capacity })
  })
  afterEach(() => lone?.close())

  const manifest = (name: string) =>
    parseManifests(toYaml(deployment({ name, replicas: 2, security: STRICT_SECURITY })))
  const refusal = (act: Promise<unknown>) =>
    act.then(
      () => undefined,
      (error) => error.code
    )
  const sessionOf = (key: SigningKey, by = lone.session, actions: GrantAction[] = ['apply', 'delete']) => {
    const notAfter = Date.now() + DAY_MS
    const chain = createGrant(by, { subject: key.publicKey, actions, notAfter })
    return new Session(key, lone.session.connection, [chain])
  }
  const clientOf = (session: Session) => new Client({ session, roots: [lone.key.peerId] })
  const apply = async (session: Session, name = 'theirs') => {
    const [result] = await clientOf(session).apply(manifest(name))
    return result!.placements.map(({ state, error }) => error?.code ?? state)
  }
  const evict = (client: Client, refuseSeconds = 3_600, ref = 'theirs') =>
    client.evict(ref, undefined, { refuseSeconds })
  const onEngine = async () => (await lone.engine.list({ labels: {} })).length

  it('is listed, stopped and forgotten, and the guest hears why', async () => {
    const guest = sessionOf(generateSigningKey())
    expect(await apply(guest)).to.deep.equal(['running', 'running'])
    const [listed] = await lone.client.guests(undefined)
    expect(listed).to.include({ name: 'theirs', owner: guest.key.peerId })
    const states: string[] = []
    const { placements } = await lone.client.evict(listed!.manifestId, undefined, {
      refuseSeconds: 3_600,
      onProgress: ({ state }) => states.push(state)
    })

    expect(placements.map(({ state }) => state)).to.deep.equal(['stopped', 'stopped'])
    expect(states.sort()).to.deep.equal(['stopped', 'stopped', 'stopping', 'stopping'])
    expect(await onEngine()).to.equal(0)
    expect(await clientOf(guest).workloads()).to.deep.equal([])
    expect(await lone.client.guests(undefined)).to.deep.equal([])
    const told = lone.node.services.workloads.recentEvents().find(({ type }) => type === 'stopping')
    expect(told!.reason).to.equal('stopped by the owner of this machine')
  })

  it('is not taken again for the time that was set, and newer versions are after it', async () => {
    const guest = sessionOf(generateSigningKey())
    await apply(guest)
    await evict(lone.client)
    expect(await apply(guest)).to.deep.equal(['EVICTED', 'EVICTED'])
    laterMs = 3_600_000
    expect(await apply(guest)).to.deep.equal(['running', 'running'])
  })

  it('is not taken again in the same version, though no time was set', async () => {
    const guest = sessionOf(generateSigningKey())
    await clientOf(guest).nodes() // shows the grant
    const sealed = await sealManifest(
      parseManifests(toYaml(pod({ name: 'theirs', security: STRICT_SECURITY })))[0]!,
      {
        key: guest.key,
        networkId: guest.connection.networkId,
        version: Date.now(),
        nodes: [lone.node.services.members.self()],
        nowMs: Date.now()
      }
    )
    expect(await raw(guest, sealed)).to.include({ code: 'ok' })
    await evict(lone.client, 0)
    const again = await raw(guest, sealed)

    expect(again.code).to.equal('EVICTED')
    expect(again.hint).to.match(/^Apply it again/)
    expect(await apply(guest)).to.deep.equal(['running', 'running'])
  })

  it('stays so after a restart', async () => {
    const guest = generateSigningKey()
    await apply(sessionOf(guest))
    await evict(lone.client)
    await lone.restart()

    expect(await apply(sessionOf(guest))).to.deep.equal(['EVICTED', 'EVICTED'])
    expect(await onEngine()).to.equal(0)
  })

  it('leaves alone what the owner runs himself, which has a command of its own', async () => {
    await lone.client.apply(manifest('mine'))
    const [mine] = await lone.client.workloads()

    expect(await lone.client.guests(undefined)).to.deep.equal([])
    expect(await refusal(evict(lone.client, 0, 'mine'))).to.equal('REF_NOT_FOUND')
    expect((await lone.client.workloads())[0]).to.deep.equal(mine)
  })

  it('cannot be stopped by another guest, whatever its grant gives', async () => {
    await apply(sessionOf(generateSigningKey()))
    const admin = clientOf(sessionOf(generateSigningKey(), lone.session, ['admin']))

    expect(await admin.guests(undefined)).to.deep.equal([])
    expect(await refusal(evict(admin))).to.equal('REF_NOT_FOUND')
    expect(await onEngine()).to.equal(2)
    const nobody = clientOf(sessionOf(generateSigningKey(), lone.session, ['apply']))
    expect(await refusal(nobody.guests(undefined))).to.equal('NOT_AUTHORISED')
  })

  it("another owner stops what hangs from his own grants, and not the machine's owner's things nor his guests'", async () => {
    const second = new Session(generateSigningKey(), lone.session.connection)
    const target = { publicKey: publicKeyFromPeerId(lone.node.peerId) }
    await changeTrust(lone.session, target, { add: [second.key.peerId] })
    await lone.client.apply(manifest('mine'))
    await apply(sessionOf(generateSigningKey()), 'guest-of-first')
    await apply(sessionOf(generateSigningKey(), second), 'guest-of-second')
    await new Client({ session: second, roots: [lone.key.peerId] }).apply(manifest('of-second'))
    const names = async (client: Client) => (await client.guests(undefined)).map(({ name }) => name).sort()

    expect(await names(clientOf(second))).to.deep.equal(['guest-of-second'])
    expect(await names(lone.client)).to.deep.equal(['guest-of-first', 'guest-of-second', 'of-second'])
    expect(await refusal(evict(clientOf(second), 0, 'guest-of-first'))).to.equal('REF_NOT_FOUND')
    await evict(clientOf(second), 0, 'guest-of-second')
    expect(await names(lone.client)).to.deep.equal(['guest-of-first', 'of-second'])
  })

  const raw = async (session: Session, sealed: SealedManifest) => {
    const encode = (replyKey: Uint8Array) => encodeApplyRequest({ ...sealed, ordinals: [0], replyKey })
    const target = publicKeyFromPeerId(lone.node.peerId)
    const request = await signRequest(session, target, { name: 'apply', encode })
    return send(session, 'apply', request.envelope, request)
  }
})
