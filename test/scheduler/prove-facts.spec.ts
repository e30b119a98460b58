import { expect } from 'chai'
import { decode, openObject, signObject } from '../../src/envelope/index.ts'
import { encodeProvenDone, encodeRecord, PROVEN_DONE } from '../../src/generated/fbs/index.ts'
import { claims, saidOf } from '../../src/scheduler/facts/fact.ts'
import { MAX_FACT_BYTES, openFact, signFact } from '../../src/scheduler/facts/prove.ts'
import { checkRecord } from '../../src/scheduler/keeping/check-record.ts'
import { Keeping } from '../../src/scheduler/keeping/keeping.ts'
import { openContentKey, signingKeyOfFacts } from '../../src/sealing/index.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import type { StoredManifest } from '../../src/workloads/index.ts'
import { bytesOf, codeOf, NETWORK, NOW_MS, OWNER, RECORD_FIELDS, STRANGER } from '../envelope/fixtures.ts'
import { createKeyMesh, type KeyMesh, type KeyNode } from './world-of-keys.ts'

const JOB = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'sum' },
  spec: {
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'localhost/task:1' }] } }
  }
}

describe('scheduler: who is believed what of a Job is done', () => {
  let mesh: KeyMesh
  /** That runs the Job, that keeps it, and that never was asked to run it. */
  let runner: KeyNode
  let keeper: KeyNode
  let hostile: KeyNode
  let contentKey: Uint8Array
  const signal = new AbortController().signal
  const trust = ownersOnly(new Set([OWNER.peerId, STRANGER.peerId]))
  const check = (bytes: Uint8Array) => checkRecord(bytes, { networkId: NETWORK.id, trust })
  const said = () => {
    const workload = { ordinal: 0, job: { done: [0], failures: 0 }, state: 'stopped', endedAtMs: NOW_MS }
    const stored = { job: {}, version: mesh.record.version, workloads: [workload] }
    return saidOf(stored as unknown as StoredManifest)!
  }
  const nothing = () => ({ ...said(), copies: [] })
  const tell = (fact: Uint8Array, record = mesh.sealed.record) =>
    new Keeping({ world: keeper.world, kept: keeper.kept, check, onKept: () => {}, signal }).answer(
      { record, sealedKeys: [], sealedShares: [], ordinals: [], resuming: false, facts: [{ value: fact }] },
      hostile.key.peerId
    )
  const known = () => keeper.kept.facts.of(mesh.record.manifestId)
  const signBy = async (node: KeyNode, what = said()) =>
    (await signFact(node.world, mesh.record.manifestId, what))!
  /** The same statement under another proof, signed by the hostile node as itself. */
  const withProof = (fact: Uint8Array, proof?: Uint8Array) => {
    const { statement } = decode(PROVEN_DONE, openObject(fact, { kind: 'done', networkId: NETWORK.id }).body)
    const body = encodeProvenDone({ statement, proof })
    return signObject({ kind: 'done', body, key: hostile.key, networkId: NETWORK.id })
  }
  const proofOf = (fact: Uint8Array) =>
    decode(PROVEN_DONE, openObject(fact, { kind: 'done', networkId: NETWORK.id }).body).proof!

  beforeEach(async () => {
    mesh = await createKeyMesh({ document: JOB })
    runner = mesh.nodes[0]!
    keeper = mesh.nodes[3]!
    hostile = mesh.nodes[6]!
    const sealedKey = mesh.sealed.sealedKeys.find(({ recipient }) => recipient === runner.key.publicKey)!
    contentKey = await openContentKey({
      networkId: NETWORK.id,
      ...mesh.record,
      ...sealedKey,
      sealingKey: runner.sealingKey,
      commitment: mesh.record.keyCommitment!,
      recipient: runner.key.publicKey
    })
    runner.runs = contentKey
  })

  it('believes a node that could read it', async () => {
    const fact = await signBy(runner)

    expect((await tell(fact)).code).to.equal(undefined)
    expect(known().map(({ author, copies }) => ({ author, over: copies[0]!.over }))).to.deep.equal([
      { author: runner.key.peerId, over: true }
    ])
  })

  it('refuses a member that never held the content key, whatever it signs', async () => {
    const fact = await signBy(runner)
    const guessed = signingKeyOfFacts(mesh.record, bytesOf('another content key', 32))
    hostile.runs = bytesOf('another content key', 32)
    const attempts = {
      'no proof': withProof(fact),
      "the runner's proof under its own name": withProof(fact, proofOf(fact)),
      'a proof by a key that it made up': await signBy(hostile),
      'a signature by that key over something else': withProof(fact, guessed.sign(bytesOf('x', 10))),
      'its own signature as proof': withProof(fact, hostile.key.sign(fact))
    }

    for (const [what, bytes] of Object.entries(attempts)) {
      const { code, message } = await tell(bytes)
      expect(code, what).to.equal('NOT_ALLOWED')
      expect(message, what).to.contain('could read the manifest')
    }
    expect(known()).to.deep.equal([])
  })

  it('refuses a proof that was made for another version or network', async () => {
    const fact = await signBy(runner)
    const opened = { isMember: () => true, networkId: NETWORK.id, key: keeper.key }
    const other = {
      ...mesh.record,
      factsKey: signingKeyOfFacts({ ...mesh.record, version: 9 }, contentKey).publicKey
    }

    expect(codeOf(() => openFact(fact, opened, [other]))).to.equal('NOT_ALLOWED')
    expect(
      codeOf(() => openFact(fact, { ...opened, networkId: bytesOf('net', 32) }, [mesh.record]))
    ).to.equal('SIGNATURE_INVALID')
  })

  it('leaves out what is about a version whose record is not here', async () => {
    const fact = await signBy(runner, { ...said(), version: mesh.record.version })

    expect(openFact(fact, keeper.world, [{ ...mesh.record, version: 1 }])).to.equal(undefined)
  })

  it("does not take another owner's record of the same manifest ID for the word of its owner", async () => {
    const own = signingKeyOfFacts(mesh.record, bytesOf('mine', 32))
    hostile.runs = bytesOf('mine', 32)
    const { manifestId, version } = mesh.record
    const body = encodeRecord({
      ...RECORD_FIELDS,
      manifestId,
      version,
      notAfter: NOW_MS * 2,
      lifetime: 'job',
      factsKey: own.publicKey
    })
    const record = signObject({ kind: 'record', body, key: STRANGER, networkId: NETWORK.id })

    expect((await tell(await signBy(hostile), record)).code).to.equal('NOT_ALLOWED')
    expect(known()).to.deep.equal([])
  })

  it('believes without proof that a node has no part any more, which takes back only what it said itself', async () => {
    hostile.runs = contentKey
    await tell(await signBy(hostile))
    await tell(await signBy(runner))
    mesh.clockMs++
    delete hostile.runs // it was handed over
    const fact = await signBy(hostile, nothing())

    expect((await tell(fact)).code).to.equal(undefined)
    expect(
      known()
        .filter(claims)
        .map(({ author }) => author)
    ).to.deep.equal([runner.key.peerId])
  })

  it('says nothing of what it cannot read any more', async () => {
    expect(await signFact(hostile.world, mesh.record.manifestId, said())).to.equal(undefined)
  })

  // found by npm run chaos: a keeper that was started later knew nothing of it, and had the Job done again
  it('believes who is no member any more, because it is gone for good', async () => {
    mesh.strangers.add(runner.key.peerId)
    expect((await tell(await signBy(runner))).code).to.equal(undefined)
    expect(known().map(({ author }) => author)).to.deep.equal([runner.key.peerId])
  })

  it('leaves out who was expelled, and a stranger who claims nothing, and takes what comes with them', async () => {
    const expelled = await signBy(runner)
    hostile.runs = contentKey
    const stranger = await signBy(hostile, nothing())
    const other = mesh.nodes[1]!
    other.runs = contentKey
    const facts = [expelled, stranger, await signBy(other)].map((value) => ({ value }))
    mesh.strangers.add(hostile.key.peerId)
    const world = { ...keeper.world, isExpelled: (peerId: string) => peerId === runner.key.peerId }
    const { code } = await new Keeping({ world, kept: keeper.kept, check, onKept: () => {}, signal }).answer(
      { record: mesh.sealed.record, sealedKeys: [], sealedShares: [], ordinals: [], resuming: false, facts },
      other.key.peerId
    )
    expect(code).to.equal(undefined)
    expect(known().map(({ author }) => author)).to.deep.equal([other.key.peerId])
  })

  it('refuses what was changed, and what is too large', async () => {
    const fact = await signBy(runner)
    const forged = Uint8Array.from(fact)
    forged[140]! ^= 1
    expect((await tell(forged)).code).to.be.oneOf(['SIGNATURE_INVALID', 'MESSAGE_MALFORMED'])
    expect((await tell(new Uint8Array(MAX_FACT_BYTES + 1))).code).to.equal('NOT_ALLOWED')
  })

  it('keeps no record of a Job that names no key for what is done', () => {
    const body = encodeRecord({ ...RECORD_FIELDS, lifetime: 'job' })
    const record = signObject({ kind: 'record', body, key: OWNER, networkId: NETWORK.id })

    expect(codeOf(() => check(record))).to.equal('RECORD_INVALID')
  })
})
