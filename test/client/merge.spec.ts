import { expect } from 'chai'
import { mergeAll } from '../../src/client/merge.ts'

describe('client: several sources as one', () => {
  const until = (signal: AbortSignal) =>
    new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    )

  it('yields in the order in which they come', async () => {
    const gate = Promise.withResolvers<void>()
    async function* slow() {
      await gate.promise
      yield 'slow'
    }
    async function* quick() {
      yield 'quick'
      gate.resolve()
    }
    const all: string[] = []
    for await (const one of mergeAll([slow(), quick()], new AbortController())) all.push(one)
    expect(all).to.deep.equal(['quick', 'slow'])
  })

  it('ends the others quietly when the reader leaves', async () => {
    const unhandled: unknown[] = []
    const onUnhandled = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', onUnhandled)
    const stop = new AbortController()
    async function* first() {
      yield 'first'
      await until(stop.signal)
    }
    async function* waits() {
      yield await until(stop.signal)
    }
    for await (const one of mergeAll<string>([waits(), first()], stop)) {
      expect(one).to.equal('first')
      break
    }
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', onUnhandled)
    expect(stop.signal.aborted).to.equal(true)
    expect(unhandled).to.deep.equal([])
  })
})
