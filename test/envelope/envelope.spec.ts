import { expect } from 'chai'
import {
  type EnvelopeErrorCode,
  MAX_ENVELOPE_BYTES,
  openEnvelope,
  QUERY,
  RECORD,
  REPLY,
  signEnvelope
} from '../../src/envelope/index.ts'
import { ENVELOPE, encodeEnvelope, encodeReply, readEnvelope } from '../../src/generated/fbs/index.ts'
import { audienceOf, openNetwork } from '../../src/identity/index.ts'
import {
  AUDIENCE,
  apply,
  bytesOf,
  codeOf,
  NETWORK,
  NOW_MS,
  OPTIONS,
  OWNER,
  query,
  STRANGER,
  signed
} from './fixtures.ts'

/** Opens completely: header, signature. */
function accept(bytes: Uint8Array, options = OPTIONS): void {
  openEnvelope(bytes, options).verifySignature()
}

/** The envelope with some bytes of its header replaced, signed again by OWNER over what results. */
function withHeader(at: number, values: readonly number[]): Uint8Array {
  const { header, payload } = readEnvelope(signed())
  header.set(values, at)
  const message = Buffer.concat([Buffer.from('beemesh.v1/envelope\0'), header, payload])
  return encodeEnvelope({ header, payload, signature: OWNER.sign(message) })
}

describe('envelope', () => {
  it('gives back what was signed', () => {
    const opened = openEnvelope(signed(), OPTIONS)
    opened.verifySignature()

    expect(opened.type).to.equal('status')
    expect(opened.author).to.deep.equal(OWNER.publicKey)
    expect(opened.authorPeerId).to.equal(OWNER.peerId)
    expect(opened.timestampMs).to.equal(NOW_MS)
    expect(opened.nonce).to.deep.equal(bytesOf('nonce', 16))
    expect(opened.audience).to.deep.equal(AUDIENCE)
    expect(opened.payload).to.deep.equal(query())
    expect(opened.decodePayload(QUERY).workloadId).to.equal('web-0')
    expect(opened.id.byteLength).to.equal(32)
  })

  it('accepts no frame in which any bit was flipped, two per byte over the whole frame', () => {
    const frame = signed()
    let accepted = 0
    for (let i = 0; i < frame.byteLength; i++) {
      for (const bit of [1 << (i % 8), 1 << ((i + 3) % 8)]) {
        const changed = Uint8Array.from(frame)
        changed[i]! ^= bit
        if (codeOf(() => accept(changed)) === 'nothing') accepted++
      }
    }
    expect(accepted).to.equal(0)
    expect(codeOf(() => accept(frame))).to.equal('nothing')
  })

  it('accepts no prefix of a frame and no frame with a byte after it', () => {
    const frame = signed()
    for (let size = 0; size < frame.byteLength; size++)
      expect(
        codeOf(() => accept(frame.subarray(0, size))),
        `${size} bytes`
      ).to.equal('MESSAGE_MALFORMED')
    expect(codeOf(() => accept(Uint8Array.of(...frame, 0)))).to.equal('MESSAGE_MALFORMED')
  })

  it('judges the header at the end of a frame before it looks at the rest', () => {
    const frame = withHeader(4, [2])
    frame.fill(0xff, 8, frame.byteLength - 136)

    expect(codeOf(() => openEnvelope(frame, OPTIONS))).to.equal('VERSION_UNSUPPORTED')
    frame.set(signed().subarray(-136), frame.byteLength - 136)
    expect(codeOf(() => openEnvelope(frame, OPTIONS))).to.equal('MESSAGE_MALFORMED')
  })

  it('refuses an envelope when another peer signed it', () => {
    const { header, payload } = readEnvelope(signed())
    const message = Buffer.concat([Buffer.from('beemesh.v1/envelope\0'), header, payload])
    const forged = encodeEnvelope({ header, payload, signature: STRANGER.sign(message) })

    expect(codeOf(() => openEnvelope(forged, OPTIONS))).to.equal('nothing')
    expect(codeOf(() => accept(forged))).to.equal('SIGNATURE_INVALID')
  })

  it('refuses a signature made for another purpose', () => {
    const { header, payload } = readEnvelope(signed())
    const message = Buffer.concat([Buffer.from('beemesh.v1/record\0'), header, payload])
    const forged = encodeEnvelope({ header, payload, signature: OWNER.sign(message) })

    expect(codeOf(() => accept(forged))).to.equal('SIGNATURE_INVALID')
  })

  it('refuses the key of small order that signs everything', () => {
    const frame = withHeader(8, [1, ...new Array<number>(31).fill(0)])

    expect(codeOf(() => accept(frame))).to.equal('KEY_WEAK')
  })

  const headers: ReadonlyArray<readonly [string, number, readonly number[], EnvelopeErrorCode]> = [
    ['another magic', 0, [0x4d], 'MESSAGE_MALFORMED'],
    ['another version', 4, [2], 'VERSION_UNSUPPORTED'],
    ['another algorithm', 5, [2], 'ALGORITHM_UNSUPPORTED'],
    ['an unknown type', 6, [99], 'WRONG_TYPE'],
    ['the type of another payload', 6, [1], 'WRONG_TYPE'],
    ['flags', 7, [1], 'MESSAGE_MALFORMED'],
    ['reserved bytes', 135, [1], 'MESSAGE_MALFORMED'],
    ['a wrong payload length', 131, [1], 'MESSAGE_MALFORMED'],
    ['no audience, for a type that is not broadcast', 96, new Array<number>(32).fill(0), 'WRONG_AUDIENCE'],
    ['a timestamp beyond 2^53', 72, [0xff], 'TIMESTAMP_FUTURE']
  ]
  for (const [name, at, values, code] of headers) {
    it(`refuses a header with ${name}: ${code}`, () => {
      expect(codeOf(() => openEnvelope(withHeader(at, values), OPTIONS))).to.equal(code)
    })
  }

  const clocks: ReadonlyArray<readonly [number, string]> = [
    [-300_000, 'nothing'],
    [-301_000, 'TIMESTAMP_STALE'],
    [30_000, 'nothing'],
    [31_000, 'TIMESTAMP_FUTURE']
  ]
  for (const [offsetMs, code] of clocks) {
    it(`says ${code} of an envelope ${offsetMs / 1000} s from now`, () => {
      expect(codeOf(() => accept(signed({ nowMs: NOW_MS + offsetMs })))).to.equal(code)
    })
  }

  it('refuses an envelope of another network', () => {
    const frame = signed({ networkId: openNetwork('other').id })

    expect(codeOf(() => accept(frame))).to.equal('WRONG_NETWORK')
  })

  it('refuses an envelope for somebody else, and lets a forwarder check it for its target', () => {
    const target = audienceOf(STRANGER.publicKey)
    const frame = signed({ audience: target })

    expect(codeOf(() => accept(frame))).to.equal('WRONG_AUDIENCE')
    expect(codeOf(() => accept(frame, { ...OPTIONS, audience: target }))).to.equal('nothing')
  })

  it('lets a broadcast in only for types that allow it', () => {
    const payload = encodeReply({ last: true })
    const frame = signed({ type: 'reply', payload, audience: undefined })

    expect(openEnvelope(frame, OPTIONS).audience).to.equal(undefined)
    expect(codeOf(() => signed({ audience: undefined }))).to.equal('WRONG_AUDIENCE')
  })

  it('refuses what is larger than an envelope before looking at it', () => {
    expect(codeOf(() => accept(new Uint8Array(MAX_ENVELOPE_BYTES + 1)))).to.equal('MESSAGE_TOO_LARGE')
  })

  it('does not read a payload as something its type does not carry', () => {
    const opened = openEnvelope(signed(), OPTIONS)

    expect(codeOf(() => opened.decodePayload(RECORD))).to.equal('WRONG_TYPE')
    expect(codeOf(() => opened.decodePayload(REPLY))).to.equal('WRONG_TYPE')
  })

  it('does not sign what a receiver would refuse', () => {
    const noReplyKey = apply()
    noReplyKey.fill(0xff, 8, 40)

    expect(codeOf(() => signed({ type: 'apply', payload: noReplyKey }))).to.equal('MESSAGE_MALFORMED')
    expect(codeOf(() => signed({ type: 'apply' }))).to.equal('WRONG_TYPE')
    expect(codeOf(() => signed({ type: 'event' }))).to.equal('WRONG_TYPE')
    expect(codeOf(() => signed({ nonce: new Uint8Array(15) }))).to.equal('MESSAGE_MALFORMED')
  })

  it('refuses another encoding of the same frame, so that nobody can make copies that look different', () => {
    const { header, payload, signature } = readEnvelope(signed())
    // given a second, equally valid FlatBuffer: the signature stored before the header
    const frame = signed()
    const loose = new Uint8Array(frame.byteLength + 4)
    loose.set(frame.subarray(0, 8))
    loose.set(frame.subarray(8), 12)
    new DataView(loose.buffer).setUint32(0, new DataView(frame.buffer).getUint32(0, true) + 4, true)

    const read = ENVELOPE.read(loose)
    expect(read).to.deep.equal({ header, payload, signature })
    expect(codeOf(() => accept(loose))).to.equal('MESSAGE_MALFORMED')
  })

  it('gives every signing a nonce of its own', () => {
    const init = {
      type: 'status',
      payload: query(),
      key: OWNER,
      networkId: NETWORK.id,
      audience: AUDIENCE,
      nowMs: NOW_MS
    } as const
    const nonces = [signEnvelope(init), signEnvelope(init)].map((frame) => openEnvelope(frame, OPTIONS).nonce)

    expect(nonces[0]).not.to.deep.equal(nonces[1])
  })

  it('keeps nothing of the buffer it was given', () => {
    const frame = Buffer.from(signed())
    const opened = openEnvelope(frame, OPTIONS)
    frame.fill(0)

    expect(codeOf(() => opened.verifySignature())).to.equal('nothing')
  })
})
