import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import { delay, raceSignal, timeoutSignal, withDeadline } from '../../src/common/index.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

describe('common: signals', () => {
  it('of a deadline fire with a TimeoutError, and hear of whoever gives up before', async () => {
    const caller = new AbortController()
    const late = withDeadline(1, caller.signal)
    const never = withDeadline(60_000, caller.signal)
    const failure = await delay(60_000, { signal: late }).catch((error: unknown) => error)
    expect(failure).to.include({ name: 'TimeoutError' })
    caller.abort(new Error('given up'))
    expect(never.reason).to.include({ message: 'given up' })
  })

  it('of a deadline are let go when it is over, also where one is within another', async () => {
    // given: a request within a search within the life of a node, many times
    const node = new AbortController()
    const signals: WeakRef<AbortSignal>[] = []
    const within = (times: number) => {
      let signal = node.signal
      for (let level = 0; level < times; level++) {
        signal = withDeadline(2, signal)
        signals.push(new WeakRef(signal))
      }
      return signal
    }

    // when: each is waited with and then done with
    for (let round = 0; round < 50; round++) await raceSignal(nextTurn(), within(3)).catch(() => {}) // because on a busy machine the deadline may be first
    await delay(60_000, { signal: timeoutSignal(20) }).catch(() => {})

    // then: not asked before, because to look at one keeps it for that turn
    for (let round = 0; round < 5; round++) {
      await nextTurn()
      collect()
    }
    await nextTurn()
    expect(signals.filter((ref) => ref.deref() !== undefined)).to.have.length(0)
  })
})
