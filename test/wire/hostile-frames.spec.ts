import { expect } from 'chai'
import { sealManifest } from '../../src/client/apply/seal.ts'
import type { Session } from '../../src/client/index.ts'
import { decode, ENVELOPE } from '../../src/envelope/index.ts'
import { encodeApplyRequest, encodeForward, encodeQuery } from '../../src/generated/fbs/index.ts'
import { generateSigningKey, openNetwork, publicKeyFromPeerId } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { createReplyKeyPair } from '../../src/sealing/index.ts'
import { MAX_ENVELOPE_BYTES } from '../../src/wire/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { type Outcome, send, signRequest } from '../fixtures/raw-request.ts'
import { pod, toYaml } from '../fixtures/workload-files.ts'

/** A refusal is a code and a sentence a person can use. */
function expectRefusal({ code, message }: Outcome, expected: string): void {
  expect(code, message).to.equal(expected)
  expect(message).to.match(/^\S.{15,}/)
}

/** The envelope with one bit of its signature flipped. */
function forge(envelope: Uint8Array, bit: number): Uint8Array {
  const forged = envelope.slice()
  const at = Buffer.from(envelope).indexOf(decode(ENVELOPE, envelope).signature) + Math.floor(bit / 8)
  forged[at] = forged[at]! ^ (1 << (bit % 8))
  return forged
}

/** A sealed apply for one node, with its owner's signature; sent as often as the test wants. */
async function signApply(mesh: Mesh, session: Session, index: number, name: string) {
  const [manifest] = parseManifests(toYaml(pod({ name })))
  const node = mesh.nodes[index]!.services.members.self()
  const { key } = session
  const { networkId } = session.connection
  const nowMs = Date.now()
  const sealed = await sealManifest(manifest!, { key, networkId, version: nowMs, nodes: [node], nowMs })
  const encode = (replyKey: Uint8Array) => encodeApplyRequest({ ...sealed, ordinals: [0], replyKey })
  return signRequest(session, node.publicKey, { name: 'apply', encode })
}

describe('wire: frames that a node must refuse', () => {
  let mesh: Mesh
  let session: Session
  let node: Uint8Array
  let other: Uint8Array
  before(async () => {
    mesh = await createMesh(2)
    session = await mesh.session(0)
    node = publicKeyFromPeerId(mesh.nodes[0]!.peerId)
    other = publicKeyFromPeerId(mesh.nodes[1]!.peerId)
  })
  after(() => mesh?.close())

  it('answers a good one, so that the refusals below mean something', async () => {
    const request = await signRequest(session, node)
    expect(await send(session, 'status', request.envelope, request)).to.include({ code: 'ok' })
  })

  it('refuses a forged signature', async () => {
    const { envelope } = await signRequest(session, node)
    for (const bit of [0, 255, 511]) {
      expectRefusal(await send(session, 'status', forge(envelope, bit)), 'SIGNATURE_INVALID')
    }
  })

  it('refuses a payload that was changed after it was signed', async () => {
    const { envelope } = await signRequest(session, node, {
      encode: (replyKey) => encodeQuery({ replyKey, container: 'abcdefgh' })
    })
    const at = Buffer.from(envelope).indexOf('abcdefgh')
    const changed = envelope.slice()
    changed[at] = 'x'.charCodeAt(0)
    expectRefusal(await send(session, 'status', changed), 'SIGNATURE_INVALID')
  })

  it('refuses a stale one, and one from the future', async () => {
    const at = async (offsetMs: number) => {
      const now = () => Date.now() + offsetMs
      const { envelope } = await signRequest(session, node, { now })
      return send(session, 'status', envelope)
    }
    expectRefusal(await at(-301_000), 'TIMESTAMP_STALE')
    expectRefusal(await at(40_000), 'TIMESTAMP_FUTURE')
  })

  it('refuses one that is for another node', async () => {
    const { envelope } = await signRequest(session, other)
    expectRefusal(await send(session, 'status', envelope), 'WRONG_AUDIENCE')
  })

  it('refuses one of another network', async () => {
    const { envelope } = await signRequest(session, node, { networkId: openNetwork('elsewhere').id })
    expectRefusal(await send(session, 'status', envelope), 'WRONG_NETWORK')
  })

  it('refuses one on the wrong protocol', async () => {
    const { envelope } = await signRequest(session, node)
    expectRefusal(await send(session, 'logs', envelope), 'PROTOCOL_UNKNOWN')
  })

  it('refuses a stranger, and tells him what would let him in', async () => {
    const key = generateSigningKey()
    const { envelope } = await signRequest(session, node, { key })
    const refusal = await send(session, 'status', envelope)
    expectRefusal(refusal, 'NOT_AUTHORISED')
    expect(refusal.hint).to.include(`--owner ${key.peerId}`)
  })

  it('refuses a truncated one, and what is none at all', async () => {
    const { envelope } = await signRequest(session, node)
    for (const frame of [
      envelope.subarray(0, envelope.byteLength - 1),
      envelope.subarray(0, 100),
      new Uint8Array(0),
      new Uint8Array(500).fill(0xff)
    ])
      expectRefusal(await send(session, 'status', frame), 'MESSAGE_MALFORMED')
  })

  it('refuses one that is larger than its protocol takes, and survives one that is larger than any', async () => {
    const { envelope } = await signRequest(session, node)
    const large = new Uint8Array(9 * 1024)
    large.set(envelope)
    expectRefusal(await send(session, 'status', large), 'FRAME_TOO_LARGE')
    const huge = await send(session, 'apply', new Uint8Array(MAX_ENVELOPE_BYTES * 2))
    expect(huge.code).to.be.oneOf(['closed', 'FRAME_TOO_LARGE'])
  })

  it('hangs up on a protocol it does not speak, and on no protocol at all', async () => {
    const { envelope } = await signRequest(session, node)
    expect(await send(session, 'launch', envelope)).to.include({ code: 'closed' })
    expect(await send(session, '', envelope)).to.include({ code: 'closed' })
  })

  it('refuses a replayed apply', async () => {
    const request = await signApply(mesh, session, 0, 'replayed')
    expect(await send(session, 'apply', request.envelope, request)).to.include({ code: 'ok' })
    expectRefusal(await send(session, 'apply', request.envelope, request), 'REPLAYED')
  })

  it('refuses a replayed apply after a restart', async () => {
    const request = await signApply(mesh, session, 0, 'after-restart')
    expect(await send(session, 'apply', request.envelope, request)).to.include({ code: 'ok' })
    await mesh.restart(0)
    session = await mesh.session(0)
    expectRefusal(await send(session, 'apply', request.envelope, request), 'REPLAYED')
  })

  it('the entry node passes on nothing that the target would refuse', async () => {
    const forward = async (envelope: Uint8Array, target = other, protocol = 'status') =>
      send(session, 'forward', encodeForward({ target, protocol, envelope }))
    const stale = await signRequest(session, other, { now: () => Date.now() - 301_000 })
    expectRefusal(await forward(stale.envelope), 'TIMESTAMP_STALE')
    const stranger = await signRequest(session, other, { key: generateSigningKey() })
    expectRefusal(await forward(stranger.envelope), 'NOT_AUTHORISED')
    const { envelope } = await signRequest(session, other)
    expectRefusal(await forward(forge(envelope, 7)), 'SIGNATURE_INVALID')
    const misaddressed = await signRequest(session, node)
    expectRefusal(await forward(misaddressed.envelope), 'WRONG_AUDIENCE')
    const inner = await signRequest(session, other)
    expectRefusal(await forward(inner.envelope, other, 'exchange'), 'NOT_FORWARDABLE')
  })

  it('a replayed apply is refused by the target when it comes through another node', async () => {
    const request = await signApply(mesh, session, 1, 'forwarded')
    const frame = encodeForward({ target: other, protocol: 'apply', envelope: request.envelope })
    expect(await send(session, 'forward', frame, request)).to.include({ code: 'ok' })
    expectRefusal(await send(session, 'forward', frame, request), 'REPLAYED')
    const direct = await mesh.session(1)
    expectRefusal(await send(direct, 'apply', request.envelope, request), 'REPLAYED')
  })

  it('an answer of another node, or to another request, is not believed', async () => {
    const asked = await signRequest(session, other)
    const { publicKey } = await createReplyKeyPair()
    const also = await signRequest(session, node, { encode: () => encodeQuery({ replyKey: publicKey }) })
    const signal = AbortSignal.timeout(5_000)
    const channel = await session.connection.open('status', { signal })
    await channel.write(also.envelope, { signal })
    const frame = (await channel.read({ signal }))!
    channel.abort(new Error('done'))
    const failure = await asked
      .answers(
        (async function* () {
          yield frame
        })()
      )
      .next()
      .catch((error: unknown) => error)
    expect(failure).to.include({ code: 'REPLY_INVALID' })
  })

  it('strangers are slowed down, owners are not', async () => {
    const key = generateSigningKey()
    const codes: string[] = []
    for (let count = 0; count < 25; count++) {
      const { envelope } = await signRequest(session, node, { key })
      codes.push((await send(session, 'status', envelope)).code)
    }
    expect(codes).to.include('TOO_MANY_REQUESTS')
    const request = await signRequest(session, node)
    expect(await send(session, 'status', request.envelope, request)).to.include({ code: 'ok' })
  })
})
