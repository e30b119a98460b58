import { expect } from 'chai'
import { createReplyKeyPair, createReplyOpener, createReplySealer } from '../../src/sealing/index.ts'
import { bytesOf, codeOf, codeOfAsync, NETWORK, NODE, STRANGER } from '../envelope/fixtures.ts'

const CONTEXT = { networkId: NETWORK.id, requestId: bytesOf('request', 32), responder: NODE.publicKey }
const text = (value: string) => new TextEncoder().encode(value)

async function channel() {
  const keys = await createReplyKeyPair()
  const sealer = await createReplySealer(keys.publicKey, CONTEXT)
  const opener = await createReplyOpener(keys, { ...CONTEXT, enc: sealer.enc, wrappedKey: sealer.wrappedKey })
  return { sealer, opener }
}

describe('reply channel', () => {
  it('carries frames to the asker, in order', async () => {
    const { sealer, opener } = await channel()
    for (const [sequence, word] of ['one', 'two', 'three'].entries()) {
      const last = sequence === 2
      const body = sealer.seal(sequence, last, text(word))
      expect(opener.open(sequence, last, body)).to.deep.equal(text(word))
    }
  })

  it('refuses frames that were changed, swapped, or called the last', async () => {
    const frames = async () => {
      const { sealer, opener } = await channel()
      return {
        opener,
        bodies: [sealer.seal(0, false, text('one')), sealer.seal(1, true, text('two'))] as const
      }
    }
    const cases: ReadonlyArray<
      (bodies: readonly [Uint8Array, Uint8Array]) => readonly [number, boolean, Uint8Array]
    > = [
      ([one]) => [0, true, one],
      ([, two]) => [0, false, two],
      ([one]) => [0, false, one.subarray(0, -1)],
      ([one]) => [0, false, Uint8Array.from(one, (byte, i) => (i === 0 ? byte ^ 1 : byte))]
    ]
    for (const pick of cases) {
      const { opener, bodies } = await frames()
      expect(codeOf(() => opener.open(...pick(bodies)))).to.equal('REPLY_INVALID_FRAME')
    }
  })

  it('never uses one sequence number twice, and ends with the last frame', async () => {
    const { sealer, opener } = await channel()
    const body = sealer.seal(0, true, text('all'))

    expect(codeOf(() => sealer.seal(0, false, text('again')))).to.equal('REPLY_OUT_OF_ORDER')
    expect(codeOf(() => sealer.seal(1, false, text('more')))).to.equal('REPLY_OUT_OF_ORDER')
    expect(codeOf(() => opener.open(1, false, body))).to.equal('REPLY_OUT_OF_ORDER')
    opener.open(0, true, body)
    expect(codeOf(() => opener.open(0, true, body))).to.equal('REPLY_OUT_OF_ORDER')
    expect(codeOf(() => opener.open(1, true, body))).to.equal('REPLY_OUT_OF_ORDER')
  })

  it('does not open for another request, node or network, nor twice', async () => {
    for (const change of [
      { requestId: bytesOf('x', 32) },
      { responder: STRANGER.publicKey },
      { networkId: bytesOf('x', 32) }
    ]) {
      const keys = await createReplyKeyPair()
      const { enc, wrappedKey } = await createReplySealer(keys.publicKey, CONTEXT)
      expect(
        await codeOfAsync(() => createReplyOpener(keys, { ...CONTEXT, enc, wrappedKey, ...change }))
      ).to.equal('OPEN_FAILED')
    }
    const keys = await createReplyKeyPair()
    const { enc, wrappedKey } = await createReplySealer(keys.publicKey, CONTEXT)
    await createReplyOpener(keys, { ...CONTEXT, enc, wrappedKey })
    expect(await codeOfAsync(() => createReplyOpener(keys, { ...CONTEXT, enc, wrappedKey }))).to.equal(
      'SEALING_KEY_INVALID'
    )
  })
})
