import { dirname, join } from 'node:path'
import { expect } from 'chai'
import type { AuditEntryView, Client } from '../../src/client/index.ts'
import { AUDIT_ENTRY, decode } from '../../src/envelope/index.ts'
import { encodeAuditEntry, encodeQuery } from '../../src/generated/fbs/index.ts'
import { generateSigningKey } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { openStore, type Store } from '../../src/store/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { until } from '../fixtures/until.ts'
import { pod, toYaml } from '../fixtures/workload-files.ts'
import { keyOf, rawEntries, rewrite } from './fixtures.ts'

async function entriesOf(client: Client, node: string): Promise<AuditEntryView[]> {
  const entries = []
  for await (const entry of client.audit(node)) entries.push(entry)
  return entries
}

const lines = (entries: readonly AuditEntryView[]) =>
  entries.map(({ what, action, code }) => [what, action, ...(code === undefined ? [] : [code])].join(' '))

describe('audit: on a mesh', function () {
  this.timeout(60_000)
  let mesh: Mesh
  let client: Client
  before(async () => {
    mesh = await createMesh(3)
    client = await mesh.client(0)
  })
  after(() => mesh?.close())

  const given = (name: string, to: string) =>
    client.apply(parseManifests(toYaml(pod({ name })), { file: name }), { to: [to] })
  /** Until both others hold the head at the end of a node's log. */
  const witnessed = async (index: number) => {
    const [last] = (await entriesOf(client, `node-${index}`)).slice(-1)
    const { peerId } = mesh.nodes[index]!
    const others = mesh.nodes.filter((_, other) => other !== index)
    const holds = ({ services }: (typeof others)[number]) =>
      (services.audit.witnessed(peerId).heads.at(-1)?.sequence ?? 0) >= last!.sequence
    await until('until the others hold its head', () => others.every(holds) || undefined, {
      deadlineMs: 20_000
    })
  }
  /** With the node stopped, something happens to its disk. */
  const tampered = async (index: number, tamper: (store: Store) => Promise<void>) => {
    await mesh.nodes[index]!.stop()
    const store = await openStore(join(dirname(mesh.identity), `node-${index}`, 'db'))
    await tamper(store)
    await store.close()
    await mesh.restart(index)
    const { peerId } = mesh.nodes[index]!
    await until('until it is back', () => mesh.nodes[0]!.services.members.get(peerId)?.connected || undefined)
  }

  it('shows an apply, a stranger who is refused, and a delete, on the node they were for', async () => {
    await given('told', 'node-1')
    const stranger = generateSigningKey()
    const refused = await (await mesh.client(1, stranger)).nodes().catch((error) => error)
    await client.delete('told')

    const entries = await entriesOf(client, 'node-1')

    expect(refused).to.include({ code: 'NOT_AUTHORISED' })
    expect(refused.details).to.include({ rule: 'owners-file' })
    expect(lines(entries)).to.deep.equal([
      ...['did node-started', 'asked apply', 'did accepted', 'did started'],
      ...['refused members NOT_AUTHORISED', 'asked delete', 'did stopped']
    ])
    const [, apply] = entries
    expect(apply).to.include({ author: mesh.key.peerId, verified: true, transport: mesh.nodes[0]!.peerId })
    expect(apply!.manifestId).to.match(/^bafkrei/)
    expect(entries.slice(1, 4).map(({ manifestId }) => manifestId)).to.deep.equal(
      Array(3).fill(apply!.manifestId)
    )
    expect(entries[4]).to.include({
      author: stranger.peerId,
      verified: false,
      transport: 'local',
      rule: 'owners-file'
    })
    expect(lines(await entriesOf(client, 'node-2'))).to.deep.equal(['did node-started'])
  })

  it('shows what an entry node refused to pass on', async () => {
    const session = await mesh.session(1, generateSigningKey())
    const target = { publicKey: mesh.nodes[2]!.network.id } // any key will do
    const asked = session.ask(target, 'status', (replyKey) => encodeQuery({ replyKey }))
    const refused = await asked.next().catch((error) => error)
    expect(refused).to.include({ code: 'NOT_AUTHORISED' })
    expect(lines(await entriesOf(client, 'node-1')).at(-1)).to.equal('refused forward NOT_AUTHORISED')
  })

  it('is not shown to a stranger', async () => {
    const stranger = await mesh.client(1, generateSigningKey())
    const refused = await stranger
      .audit(undefined)
      .next()
      .catch((error) => error)
    expect(refused).to.include({ code: 'NOT_AUTHORISED' })
  })

  it('is intact, and the heads of the others say so', async () => {
    await witnessed(1)
    const verdict = await client.verifyAudit('node-1')
    expect(verdict).to.deep.include({ node: 'node-1', intact: true, faults: [], unanswered: undefined })
    expect(verdict.witnesses.map(({ node }) => node)).to.deep.equal(['node-0', 'node-2'])
    for (const { heads, agree } of verdict.witnesses) expect(agree).to.equal(heads).and.to.be.greaterThan(0)
    expect(verdict.last!.sequence).to.equal(verdict.entries)
  })

  it('stays intact when the node is stopped and started', async () => {
    await tampered(1, async () => {})
    expect((await client.verifyAudit('node-1')).faults).to.deep.equal([])
    expect(lines(await entriesOf(client, 'node-1')).slice(-2)).to.deep.equal([
      'did node-stopped',
      'did node-started'
    ])
  })

  it('is broken where somebody changed an entry on the disk', async () => {
    await tampered(1, async (store) => {
      const stored = rawEntries(store)
      const entry = decode(AUDIT_ENTRY, (await stored.get(keyOf(5)))!)
      await stored.put(keyOf(5), encodeAuditEntry({ ...entry, code: undefined, what: 'asked' }))
    })
    const { intact, faults } = await client.verifyAudit('node-1')
    expect(intact).to.equal(false)
    expect(faults).to.deep.equal([
      {
        sequence: 5,
        reason: 'changed',
        message: 'entry 5 is not what entry 6 was chained to',
        witnesses: []
      }
    ])
  })

  it('is shown by the others when all was chained and signed anew', async () => {
    await given('quiet', 'node-2')
    await witnessed(2)
    await tampered(2, (store) => rewrite(store, 2))

    const { intact, faults, entries } = await client.verifyAudit('node-2')

    expect(intact).to.equal(false)
    expect(entries).to.be.greaterThan(4)
    expect([...new Set(faults.map(({ reason }) => reason))]).to.deep.equal(['contradicted'])
    expect(faults.at(-1)!.witnesses).to.have.members(['node-0', 'node-1'])
  })

  it('is found out by the witnesses themselves, who keep both heads', async () => {
    const { peerId } = mesh.nodes[2]!
    const { audit } = mesh.nodes[0]!.services
    await given('more', 'node-0') // because it asks when it shows a head of its own
    const evidence = () => audit.witnessed(peerId).evidence[0]
    const [one, other] = await until('until node-0 has asked', evidence, { deadlineMs: 30_000 })
    expect(one.sequence).to.equal(other.sequence)
    expect(one.hash).not.to.deep.equal(other.hash)
  })
})
