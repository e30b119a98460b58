import { expect } from 'chai'
import { Gate } from '../../src/workloads/copies/lanes.ts'

describe('workloads: turns at the gate', () => {
  it('gives owners their turns one by one, so that who asks for much does not make the others wait', async () => {
    // given
    const gate = new Gate(1, 100)
    const order: string[] = []
    const first = Promise.withResolvers<void>()
    const running = gate.run(() => first.promise, { owner: 'greedy' })

    // when
    const waiting = ['greedy', 'greedy', 'greedy', 'modest', 'shy'].map((owner) =>
      gate.run(async () => void order.push(owner), { owner })
    )
    first.resolve()
    await Promise.all([running, ...waiting])

    // then
    expect(order).to.deep.equal(['greedy', 'modest', 'shy', 'greedy', 'greedy'])
  })

  it('passes the place on when the one whose turn it is has given up', async () => {
    const gate = new Gate(1, 100)
    const first = Promise.withResolvers<void>()
    const running = gate.run(() => first.promise)
    const stop = new AbortController()
    const gaveUp = gate.run(async () => 'never', { signal: stop.signal }).catch(() => 'gave up')
    const next = gate.run(async () => 'next')
    stop.abort()
    expect(await gaveUp).to.equal('gave up')
    first.resolve()
    await running
    expect(await next).to.equal('next')
  })
})
