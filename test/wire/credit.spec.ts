import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import { CreditedWriter } from '../../src/wire/channel/credit.ts'
import { CREDIT_FRAMES, readCredited } from '../../src/wire/index.ts'
import { channelPair } from './memory-channel.ts'

/** Everything that can happen without another frame being read has happened. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn()
}

describe('wire: credit', () => {
  it('never has more than 8 frames on the way to a slow reader, and loses none', async () => {
    const { a, b } = channelPair()
    const writer = new CreditedWriter(a)
    const sent = 100
    const writing = (async () => {
      for (let index = 0; index < sent; index++) await writer.write(Uint8Array.of(index))
      await a.close()
    })()
    let received = 0
    for await (const frame of readCredited(b)) {
      expect(frame[0]).to.equal(received++)
      await quiet()
      // the one in hand is not acknowledged yet, so together with those waiting they are the frames on the way
      expect(b.waiting() + 1).to.be.at.most(CREDIT_FRAMES)
      if (received < sent - CREDIT_FRAMES) expect(b.waiting() + 1, 'uses its credit').to.equal(CREDIT_FRAMES)
    }
    expect(received).to.equal(sent)
    await writing
  })

  it('holds many writers back together', async () => {
    const { a, b } = channelPair()
    const writer = new CreditedWriter(a)
    const writing = Promise.all(Array.from({ length: 40 }, (_, index) => writer.write(Uint8Array.of(index))))
    await quiet()
    expect(b.waiting()).to.equal(CREDIT_FRAMES)
    const reader = readCredited(b)
    for (let index = 0; index < 40; index++) {
      await reader.next()
      await quiet()
      expect(b.waiting() + 1).to.be.at.most(CREDIT_FRAMES)
    }
    await writing
  })

  it('stops the writer when the reader goes away', async () => {
    const { a, b } = channelPair()
    const writer = new CreditedWriter(a)
    for (let index = 0; index < CREDIT_FRAMES; index++) await writer.write(Uint8Array.of(index))
    const held = writer.write(Uint8Array.of(99)).then(
      () => 'written',
      (error: Error) => error.message
    )
    b.abort(new Error('the reader is gone'))
    expect(await held).to.equal('the reader is gone')
    expect(writer.gone.aborted).to.equal(true)
  })

  it('stops the writer when its own signal fires', async () => {
    const { a } = channelPair()
    const writer = new CreditedWriter(a)
    for (let index = 0; index < CREDIT_FRAMES; index++) await writer.write(Uint8Array.of(index))
    const stop = new AbortController()
    const held = writer.write(Uint8Array.of(99), { signal: stop.signal })
    stop.abort(new Error('enough'))
    expect(await held.catch((error: Error) => error.message)).to.equal('enough')
  })
})
