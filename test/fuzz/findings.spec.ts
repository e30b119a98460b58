import { expect } from 'chai'
import { forgeEnvelope } from '../../bench/fuzz/targets/forge.ts'
import { signObject } from '../../src/envelope/index.ts'
import { encodeErrorReply, encodeQuery, encodeRecord, encodeReply } from '../../src/generated/fbs/index.ts'
import { audienceOf } from '../../src/identity/index.ts'
import { ManifestError, parseCanonical, parseManifests } from '../../src/manifest/index.ts'
import { checkRecord } from '../../src/scheduler/keeping/check-record.ts'
import { sealTo } from '../../src/sealing/index.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import { createRequest, OWNER_PROTOCOLS } from '../../src/wire/index.ts'
import {
  bytesOf,
  codeOf,
  codeOfAsync,
  NETWORK,
  NODE,
  NOW_MS,
  OWNER,
  RECORD_FIELDS
} from '../envelope/fixtures.ts'

/** What the fuzzer found once, so that it is found again without luck. */
describe('fuzz: findings', () => {
  it('a reply key that is no X-Wing key is refused with the code that the protocol names', async () => {
    const message = { info: bytesOf('info', 40), aad: bytesOf('aad', 32), plaintext: bytesOf('key', 32) }

    expect(await codeOfAsync(() => sealTo(new Uint8Array(1216).fill(0xff), message))).to.equal(
      'SEALING_KEY_INVALID'
    )
  })

  it('a name that is an object with a toString of its own is refused as no text', () => {
    const name = { toString: 1, valueOf: 1 }
    const items = [
      { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }] } },
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers: [] } }
    ]
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })

    expect(codeOf(() => parseManifests(text))).to.equal('MANIFEST_INVALID')
  })

  it('an annotation of ours that is an object with a toString of its own is refused as no text', () => {
    const annotations = { 'beemesh.io/engine': { toString: 1, valueOf: 1 } }
    const text = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', annotations },
      spec: { containers: [{ name: 'a', image: 'localhost/a:1' }] }
    })

    expect(codeOf(() => parseManifests(text))).to.equal('MANIFEST_INVALID')
  })

  it('thousands of fields that are nearly known cost no more than thousands that are not', () => {
    const fields = (name: string) =>
      Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`${name}${n}`, true]))
    const took = (name: string) => {
      const text = JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web' },
        spec: { containers: [], ...fields(name) }
      })
      const times = Array.from({ length: 5 }, () => {
        const startedAt = performance.now()
        expect(() => parseManifests(text)).to.throw(ManifestError)
        return performance.now() - startedAt
      })
      return Math.min(...times)
    }

    // 26 times when it was found
    expect(took('hostNetwork')).to.be.below(10 * took('x-------------------------------------------'))
  })

  const many = (count: number, item: string) => Array.from({ length: count }, () => item).join(',')
  const podOf = (spec: string) =>
    `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"d"},"spec":{${spec}}}`
  const floods: readonly (readonly [what: string, objects: string])[] = [
    ['19,000 empty containers', podOf(`"containers":[${many(19_000, '{}')}]`)],
    ['19,000 volumes that are numbers', podOf(`"volumes":[${many(19_000, '1')}]`)],
    [
      '18 containers of 999 empty mounts',
      podOf(`"containers":[${many(18, `{"volumeMounts":[${many(999, '{}')}]}`)}]`)
    ],
    ['90 pods of 150 empty containers', many(90, podOf(`"containers":[${many(150, '{}')}]`))]
  ]
  for (const [what, objects] of floods) {
    it(`${what} in a sealed document are refused quickly`, () => {
      const salt = Buffer.alloc(32).toString('base64')
      const text = `{"kind":"Pod","name":"web","namespace":"d","objects":[${objects}],"salt":"${salt}","v":1}`
      const bytes = new TextEncoder().encode(text)
      const times = Array.from({ length: 3 }, () => {
        const startedAt = performance.now()
        expect(() => parseCanonical(bytes)).to.throw(ManifestError)
        return performance.now() - startedAt
      })

      // the first took 1,800 ms when it was found; here they take 20 at most, three times that on Node 22
      expect(Math.min(...times)).to.be.below(200)
    })
  }

  it('a record of four thousand million copies is refused by keepers, which would count them one by one', () => {
    const many = { ...RECORD_FIELDS, notAfter: NOW_MS * 2, replicas: 2 ** 32 - 1 }
    const record = signObject({ kind: 'record', body: encodeRecord(many), key: OWNER, networkId: NETWORK.id })
    const trust = ownersOnly(new Set([OWNER.peerId]))

    expect(codeOf(() => checkRecord(record, { networkId: NETWORK.id, trust }))).to.equal('RECORD_INVALID')
  })

  for (const code of ['', 'läuft über', '9_LIVES', '_']) {
    it(`a refusal whose code is "${code}" has one all the same`, async () => {
      const { request, nonce } = await ask()
      const body = encodeErrorReply({ code, message: 'no' })
      const payload = encodeReply({ sequence: 0, last: true, sealed: false, body })
      const frame = forgeEnvelope('reply', payload, {
        key: NODE,
        audience: audienceOf(OWNER.publicKey),
        nonce
      })
      const frames = (async function* () {
        yield frame
      })()

      expect(await codeOfAsync(() => request.answers(frames).next())).to.equal('REPLY_INVALID')
    })
  }
})

async function ask() {
  const request = await createRequest({
    protocol: OWNER_PROTOCOLS.status,
    key: OWNER,
    networkId: NETWORK.id,
    target: NODE.publicKey,
    encode: (replyKey) => encodeQuery({ replyKey }),
    now: () => NOW_MS
  })
  const { byteLength } = request.envelope
  return { request, nonce: request.envelope.slice(byteLength - 136 + 80, byteLength - 136 + 96) }
}
