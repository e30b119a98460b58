import { expect } from 'chai'
import { sealManifest } from '../../src/client/apply/seal.ts'
import type { Session } from '../../src/client/index.ts'
import { fetchFrom } from '../../src/client/own/fetch.ts'
import { encodeFetched, type FetchedInit } from '../../src/generated/fbs/index.ts'
import { type SigningKey, signingKeyFromSeed } from '../../src/identity/index.ts'
import { type Manifest, parseManifests } from '../../src/manifest/index.ts'
import { createLoneNode, type LoneNode } from '../fixtures/lone-node.ts'
import { pod, toYaml } from '../fixtures/workload-files.ts'

const networkId = new Uint8Array(32).fill(7)
const owner = signingKeyFromSeed(new Uint8Array(32).fill(1))
const [web] = parseManifests(toYaml(pod({ name: 'web' })))
const [other] = parseManifests(toYaml(pod({ name: 'web', image: 'localhost/other:1' })))

const sealed = (manifest: Manifest, version: number, key: SigningKey = owner) =>
  sealManifest(manifest, { key, networkId, version, nodes: [], nowMs: Date.now() })

/** A session whose node answers this. */
function answering(init: FetchedInit): Session {
  const ask = async function* () {
    yield encodeFetched(init)
  }
  return { key: owner, connection: { networkId }, ask } as unknown as Session
}

async function codeOf(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'done',
    (error: { code: string }) => error.code
  )
}

describe('client: what a node gives back of an owner’s own', () => {
  const target = { publicKey: new Uint8Array(32) }

  it('is refused when somebody else signed it, when it is another manifest, or another version', async () => {
    const mine = await sealed(web!, 5)
    const stranger = await sealed(web!, 5, signingKeyFromSeed(new Uint8Array(32).fill(2)))
    const { manifestId } = mine
    const fetch = (init: FetchedInit, version?: number) =>
      codeOf(fetchFrom(answering(init), target, { manifestId, version }))
    expect(await fetch({ record: mine.record })).to.equal('done')
    expect(await fetch({ record: mine.record }, 4)).to.equal('REPLY_INVALID')
    expect(await fetch({ record: stranger.record })).to.equal('REPLY_INVALID')
    const [elsewhere] = parseManifests(toYaml(pod({ name: 'elsewhere' })))
    expect(await fetch({ record: (await sealed(elsewhere!, 5)).record })).to.equal('REPLY_INVALID')
    const history = [{ version: 3, record: stranger.record }]
    expect(await fetch({ record: mine.record, history })).to.equal('REPLY_INVALID')
  })

  it('is refused when content or key are not those of the record', async () => {
    const mine = await sealed(web!, 5)
    const changed = await sealed(other!, 5)
    const { manifestId, record, ciphertext } = mine
    const key = new Uint8Array(32).fill(9)
    const fetch = (init: FetchedInit) => codeOf(fetchFrom(answering(init), target, { manifestId }))
    expect(await fetch({ record, ciphertext: changed.ciphertext, key })).to.equal(
      'CIPHERTEXT_DIGEST_MISMATCH'
    )
    expect(await fetch({ record, ciphertext, key })).to.equal('KEY_COMMITMENT_MISMATCH')
  })
})

describe('node: fetch', () => {
  let lone: LoneNode
  afterEach(() => lone?.close())

  it('gives an owner what runs and the versions before, and nobody else', async () => {
    // given
    lone = await createLoneNode()
    const { session } = lone.client
    const images = ['localhost/a:1', 'localhost/b:1', 'localhost/c:1']
    const results = []
    for (const image of images)
      results.push(...(await lone.client.apply(parseManifests(toYaml(pod({ name: 'web', image }))))))
    const { manifestId } = (await lone.client.held('web')).manifest
    // when
    const newest = await fetchFrom(session, session.entry, { manifestId })
    const first = await fetchFrom(session, session.entry, {
      manifestId,
      version: Number(results[0]!.version)
    })
    // then
    const imageOf = (manifest: Manifest | undefined) =>
      (manifest!.objects[0]!.spec as { containers: { image: string }[] }).containers[0]!.image
    expect(imageOf(newest.manifest)).to.equal(images[2])
    expect(imageOf(first.manifest)).to.equal(images[0])
    expect(newest.history.map(({ version }) => String(version))).to.deep.equal([
      results[1]!.version,
      results[0]!.version
    ])
    const stranger = (await lone.clientOf(signingKeyFromSeed(new Uint8Array(32).fill(3)))).session
    expect(await codeOf(fetchFrom(stranger, stranger.entry, { manifestId }))).to.equal('NOT_AUTHORISED')
  })

  it('has no more than five versions before, and none when the manifest is deleted', async () => {
    lone = await createLoneNode()
    const { session } = lone.client
    for (let i = 0; i < 8; i++)
      await lone.client.apply(parseManifests(toYaml(pod({ name: 'web', image: `localhost/web:${i}` }))))
    const { manifestId } = (await lone.client.held('web')).manifest
    expect((await fetchFrom(session, session.entry, { manifestId })).history).to.have.length(5)
    await lone.client.delete('web')
    expect(await codeOf(fetchFrom(session, session.entry, { manifestId }))).to.equal('MANIFEST_NOT_FOUND')
    expect(lone.node.services.workloads.get(manifestId)?.history).to.equal(undefined)
  })
})
