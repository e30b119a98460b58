import { expect } from 'chai'
import { presentGrants } from '../../src/client/grants/grants.ts'
import { Client, createGrant, revokeGrants, Session } from '../../src/client/index.ts'
import { generateSigningKey, type SigningKey } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import type { GrantInit } from '../../src/trust/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { until } from '../fixtures/until.ts'
import { pod, toYaml } from '../fixtures/workload-files.ts'

const HOUR_MS = 3_600_000

describe('guests: people with a grant', function () {
  this.timeout(60_000)
  let mesh: Mesh
  before(async () => {
    // what a guest's pod must look like is not the point here, nor how often one who is refused may ask
    const budgets = { strangers: { burst: 10_000, perSecond: 10_000 } }
    mesh = await createMesh(3, { policy: { own: 'open', others: 'open' }, budgets })
  })
  after(() => mesh?.close())

  const give = async (to: SigningKey, init: Partial<GrantInit> = {}, by?: Session) =>
    createGrant(by ?? (await mesh.session(0)), {
      subject: to.publicKey,
      actions: ['apply', 'delete', 'logs'],
      notAfter: Date.now() + HOUR_MS,
      ...init
    })
  /** A guest at one node, with what it was given. */
  const guestAt = async (index: number, key: SigningKey, ...chains: Awaited<ReturnType<typeof give>>[]) => {
    const { connection } = await mesh.session(index, key)
    const session = new Session(key, connection, chains)
    return { session, client: new Client({ session, roots: [mesh.key.peerId] }) }
  }
  const refusal = (act: Promise<unknown>) =>
    act.then(
      () => undefined,
      (error) => ({ code: error.code, rule: error.details?.rule })
    )

  it('apply, see, and delete what is theirs, through an entry node that has never heard of them', async () => {
    const key = generateSigningKey()
    const { client } = await guestAt(0, key, await give(key))
    const [result] = await client.apply(parseManifests(toYaml(pod({ name: 'guest' }))), { to: ['node-2'] })
    expect(result!.placements.map(({ state, error }) => error ?? state)).to.deep.equal(['running'])
    expect((await client.workloads({ all: true })).map(({ name, owner }) => [name, owner])).to.deep.equal([
      ['guest', key.peerId]
    ])
    await client.delete('guest')
    expect(await client.workloads({ all: true })).to.deep.equal([])
  })

  it('are refused without a grant, with one of somebody else, and with one that is over', async () => {
    const [key, other] = [generateSigningKey(), generateSigningKey()]
    const without = await guestAt(1, key)
    expect(await refusal(without.client.nodes())).to.deep.equal({
      code: 'NOT_AUTHORISED',
      rule: 'owners-file'
    })
    const stolen = await guestAt(1, key, await give(other))
    expect((await refusal(stolen.client.nodes()))?.code).to.equal('NOT_AUTHORISED')
    const held = await presentGrants(stolen.session, stolen.session.entry)
    expect(held.chains).to.deep.equal([])
    expect(held.refused[0]).to.contain(other.peerId)
    const over = await guestAt(1, key, await give(key, { notAfter: Date.now() - 1 }))
    expect((await refusal(over.client.nodes()))?.code).to.equal('NOT_AUTHORISED')
  })

  it('see what the owner runs where they may read it, and run no commands in it', async () => {
    const key = generateSigningKey()
    await (await mesh.client(0)).apply(parseManifests(toYaml(pod({ name: 'owned' }))), { to: ['node-0'] })
    const { client } = await guestAt(0, key, await give(key, { actions: ['read'], namespaces: ['default'] }))
    expect((await client.workloads()).map(({ name, owner }) => [name, owner])).to.deep.equal([
      ['owned', mesh.key.peerId]
    ])
    const elsewhere = generateSigningKey()
    const blind = await guestAt(0, elsewhere, await give(elsewhere, { actions: ['read'], namespaces: ['x'] }))
    expect(await blind.client.workloads()).to.deep.equal([])
    await (await mesh.client(0)).delete('owned')
  })

  it('are held to namespace, images and quota of all they run on a node', async () => {
    const key = generateSigningKey()
    const bounds = { namespaces: ['team'], quota: { workloads: 1 } }
    const { client } = await guestAt(0, key, await give(key, bounds))
    const apply = async (name: string, namespace: string) => {
      const [result] = await client.apply(
        parseManifests(JSON.stringify({ ...pod({ name }), metadata: { name, namespace } })),
        {
          to: ['node-1']
        }
      )
      return result!.placements[0]!.error?.message ?? 'runs'
    }
    expect(await apply('one', 'default')).to.contain('namespaces team')
    expect(await apply('one', 'team')).to.equal('runs')
    expect(await apply('two', 'team')).to.contain('workloads 1')
    expect(await apply('one', 'team'), 'the same again').to.equal('runs')
    const here = await guestAt(0, key, await give(key, bounds))
    await new Client({ session: here.session, roots: [mesh.key.peerId], namespace: 'team' }).delete('one')
  })

  it('pass on what they were given where they may, and never more', async () => {
    const [lead, member] = [generateSigningKey(), generateSigningKey()]
    const given = await give(lead, { delegations: 1, namespaces: ['team'] })
    const leading = await guestAt(0, lead, given)
    const passed = await give(
      member,
      { actions: ['logs'], notAfter: Date.now() + 9 * HOUR_MS },
      leading.session
    )
    expect(passed.links).to.have.lengthOf(2)
    expect(passed.terms).to.deep.include({ namespaces: ['team'], notAfter: given.terms.notAfter })
    const { client } = await guestAt(2, member, passed)
    expect(await client.workloads()).to.deep.equal([])
    const more = give(member, { actions: ['exec'] }, leading.session)
    expect((await refusal(more))?.code).to.equal('GRANT_INVALID')
  })

  it('and all to whom they pass it on are held to one quota together', async () => {
    const [lead, ...members] = Array.from({ length: 3 }, generateSigningKey) as [
      SigningKey,
      SigningKey,
      SigningKey
    ]
    const given = await give(lead, { delegations: 1, quota: { workloads: 1 } })
    const leading = await guestAt(0, lead, given)
    const errors = []
    for (const [index, member] of members.entries()) {
      const { client } = await guestAt(0, member, await give(member, {}, leading.session))
      const [result] = await client.apply(parseManifests(toYaml(pod({ name: `of-${index}` }))), {
        to: ['node-1']
      })
      errors.push(result!.placements[0]!.error?.message)
    }
    expect(errors[0]).to.equal(undefined)
    expect(errors[1]).to.contain('workloads 1').and.contain('would make it 2')
  })

  it('lose it everywhere when it is revoked at one node, also after a restart, and with it what was passed on', async () => {
    const [lead, member] = [generateSigningKey(), generateSigningKey()]
    const given = await give(lead, { delegations: 1 })
    const leading = await guestAt(0, lead, given)
    const passed = await give(member, { actions: ['logs'] }, leading.session)
    for (const index of [0, 1, 2]) await (await guestAt(index, member, passed)).client.nodes()

    const forgetAfter = Date.now() + HOUR_MS
    await revokeGrants(await mesh.session(0), [given.links[0]!.id], { forgetAfter })

    for (const index of [0, 1, 2]) {
      const { client } = await guestAt(index, member, passed)
      const refused = () => refusal(client.nodes())
      await until(`until node-${index} knows`, async () => (await refused()) ?? undefined, {
        deadlineMs: 5_000
      })
      expect(await refused()).to.deep.equal({ code: 'NOT_AUTHORISED', rule: 'grant-revoked' })
    }
    await mesh.restart(2)
    const { client } = await guestAt(2, member, passed)
    expect((await refusal(client.nodes()))?.code).to.equal('NOT_AUTHORISED')
  })

  it('cannot revoke what is not theirs; a stranger cannot even ask', async () => {
    const [key, other] = [generateSigningKey(), generateSigningKey()]
    const foreign = await give(other)
    const { session } = await guestAt(1, key, await give(key))
    const ids = [foreign.links[0]!.id]
    const forgetAfter = Date.now() + HOUR_MS
    expect((await refusal(revokeGrants(session, ids, { forgetAfter })))?.code).to.equal('REVOCATION_REFUSED')
    const stranger = await guestAt(1, generateSigningKey())
    expect((await refusal(revokeGrants(stranger.session, ids, { forgetAfter })))?.code).to.equal(
      'NOT_AUTHORISED'
    )
  })
})
