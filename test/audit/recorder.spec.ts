import { expect } from 'chai'
import { AuditRecorder } from '../../src/audit/index.ts'
import { AUDIT_ENTRY, decode } from '../../src/envelope/index.ts'
import { generateSigningKey, peerIdFromPublicKey } from '../../src/identity/index.ts'
import { createLog } from './fixtures.ts'

const owner = generateSigningKey().peerId
const request = { protocol: 'apply', author: owner, transport: 'local' }
const strangers = Array.from({ length: 40 }, () => generateSigningKey().peerId)
const manifestId = new Uint8Array(36).fill(1)

async function createRecorder() {
  const made = await createLog()
  const recorder = new AuditRecorder(made.log, () => made.clock.nowMs)
  const entries = async () => {
    await recorder.close()
    const all = []
    for await (const { bytes } of made.log.entries()) all.push(decode(AUDIT_ENTRY, bytes))
    return all
  }
  return { ...made, recorder, entries }
}

describe('audit: what becomes an entry', () => {
  it('a request that changes something, each by itself, with its manifest', async () => {
    const { recorder, entries } = await createRecorder()
    for (const protocol of ['apply', 'delete', 'exec'])
      recorder.asked({ ...request, protocol }, { manifestId })
    const all = await entries()
    expect(all.map(({ what, action }) => `${what} ${action}`)).to.deep.equal([
      'asked apply',
      'asked delete',
      'asked exec'
    ])
    expect(all[0]).to.deep.include({ manifestId, verified: true, transport: 'local', count: 0 })
    expect(peerIdFromPublicKey(all[0]!.author!)).to.equal(owner)
  })

  it('questions, counted by asker and protocol', async () => {
    const { recorder, clock, entries } = await createRecorder()
    for (let index = 0; index < 100; index++) {
      clock.nowMs = 1_000 + index
      recorder.asked({ ...request, protocol: 'status' })
      recorder.asked({ ...request, protocol: 'forward' })
    }
    const all = await entries()
    expect(all.map(({ action, count, since, at }) => ({ action, count, since, at }))).to.deep.equal([
      { action: 'status', count: 100, since: 1_000, at: 1_099 },
      { action: 'forward', count: 100, since: 1_000, at: 1_099 }
    ])
  })

  it('a refusal, with its code, its rule, and whether its author was only claimed', async () => {
    const { recorder, entries } = await createRecorder()
    recorder.refused({ ...request, code: 'NOT_AUTHORISED', rule: 'owners-file' })
    recorder.refused(
      { ...request, code: 'POLICY_REFUSED', rule: 'hostNetwork', verified: true },
      { manifestId }
    )
    recorder.refused({ protocol: 'apply', transport: owner, code: 'MESSAGE_MALFORMED' })
    const [stranger, policy, unread] = await entries()
    expect(stranger).to.include({ code: 'NOT_AUTHORISED', rule: 'owners-file', verified: false })
    expect(policy).to.deep.include({
      code: 'POLICY_REFUSED',
      rule: 'hostNetwork',
      verified: true,
      manifestId
    })
    expect(unread).to.include({ code: 'MESSAGE_MALFORMED', author: undefined, transport: owner })
  })

  it('a refusal that is no error of ours by the code the asker got, never by its words', async () => {
    const { recorder, entries } = await createRecorder()
    recorder.refused({ ...request, code: 'TypeError: secret\u001b[31m' })
    expect((await entries()).map(({ code }) => code)).to.deep.equal(['INTERNAL'])
  })

  it('what could not be passed on, counted', async () => {
    const { recorder, entries } = await createRecorder()
    const away = { ...request, protocol: 'forward', code: 'NODE_UNREACHABLE', verified: true }
    for (let index = 0; index < 7; index++) recorder.refused(away)
    expect((await entries()).map(({ code, count }) => ({ code, count }))).to.deep.equal([
      { code: 'NODE_UNREACHABLE', count: 7 }
    ])
  })

  it('nothing, when the asker went away or the node stops', async () => {
    const { recorder, entries } = await createRecorder()
    for (const code of ['CANCELLED', 'CONNECTION_LOST']) recorder.refused({ ...request, code })
    expect(await entries()).to.deep.equal([])
  })

  it('strangers, however many names they use, a bounded number of times', async () => {
    const { recorder, entries, clock } = await createRecorder()
    for (let index = 0; index < 5_000; index++) {
      clock.nowMs += 10
      const author = strangers[index % strangers.length]!
      const code = index % 2 ? 'NOT_AUTHORISED' : 'TOO_MANY_REQUESTS'
      recorder.refused({ protocol: 'apply', author, transport: author, code, rule: 'owners-file' })
    }
    const all = await entries()
    expect(all.length).to.be.within(28, 32)
    expect(
      all.reduce((sum, { count }) => sum + Math.max(1, count), 0),
      'but each is counted'
    ).to.equal(5_000)
    expect(all.filter(({ action }) => action === 'several').map(({ code }) => code)).to.have.members([
      'NOT_AUTHORISED',
      'TOO_MANY_REQUESTS'
    ])
  })

  it('an owner who is refused, also while strangers use up what is theirs', async () => {
    const { recorder, entries } = await createRecorder()
    for (let index = 0; index < 100; index++)
      recorder.refused({ ...request, author: strangers[0]!, code: 'NOT_AUTHORISED' })
    recorder.refused({ ...request, code: 'REPLAYED', verified: true })
    expect((await entries()).find(({ code }) => code === 'REPLAYED')).to.include({ count: 0, verified: true })
  })

  it('what became of copies, and counted when one flaps', async () => {
    const { recorder, entries } = await createRecorder()
    const other = new Uint8Array(36).fill(2)
    for (let index = 0; index < 150; index++) recorder.did({ type: 'ready', manifestId, version: 3 })
    recorder.did({ type: 'pulling', manifestId: other, version: 1 })
    recorder.did({ type: 'failed', manifestId: other, version: 1 })
    const all = await entries()
    expect(all.filter(({ action }) => action === 'ready')).to.have.length(101)
    expect(all.find(({ action }) => action === 'failed')).to.deep.include({
      what: 'did',
      manifestId: other,
      version: 1
    })
    expect(all.map(({ action }) => action)).not.to.include('pulling')
  })

  it('hostile messages between nodes, counted, and none of the weather', async () => {
    const { recorder, entries } = await createRecorder()
    for (let index = 0; index < 9; index++)
      recorder.refusedNode(owner, { door: 'exchange', reason: 'signature_invalid', blame: 'hostile' })
    recorder.refusedNode(owner, { door: 'members', reason: 'old', blame: 'useless' })
    const all = await entries()
    expect(all).to.have.length(1)
    expect(all[0]).to.include({ action: 'exchange', code: 'SIGNATURE_INVALID', transport: owner, count: 9 })
  })
})
