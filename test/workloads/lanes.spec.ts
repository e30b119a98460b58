import { expect } from 'chai'
import fc from 'fast-check'
import { Gate, Lanes } from '../../src/workloads/copies/lanes.ts'

describe('workloads: lanes', () => {
  it('one key does one thing at a time, in the order it was asked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 15 }),
        async (s, keys) => {
          const lanes = new Lanes()
          const running = new Map<number, number>()
          const done: number[] = []
          const all = keys.map((key, index) =>
            lanes.run(String(key), async () => {
              running.set(key, (running.get(key) ?? 0) + 1)
              expect(running.get(key)).to.equal(1)
              await s.schedule(Promise.resolve())
              running.set(key, 0)
              done.push(index)
            })
          )
          await s.waitFor(Promise.all(all))
          for (const key of [0, 1, 2]) {
            const order = done.filter((index) => keys[index] === key)
            expect(order).to.deep.equal([...order].sort((a, b) => a - b))
          }
        }
      ),
      { seed: 2026, numRuns: 100 }
    )
  })

  it('keys do not wait for each other', async () => {
    const lanes = new Lanes()
    const held = Promise.withResolvers<void>()
    const slow = lanes.run('a', () => held.promise)
    expect(await lanes.run('b', async () => 'quick')).to.equal('quick')
    held.resolve()
    await slow
  })

  it('a failure reaches who asked, and not the next in the lane', async () => {
    const lanes = new Lanes()
    const failing = lanes.run('a', async () => {
      throw new Error('no')
    })
    const next = lanes.run('a', async () => 'yes')
    expect(await failing.catch((error: Error) => error.message)).to.equal('no')
    expect(await next).to.equal('yes')
  })

  it('is idle when everything asked so far has ended', async () => {
    const lanes = new Lanes()
    await lanes.idle()
    let ended = 0
    for (let index = 0; index < 5; index++)
      void lanes.run('a', async () => {
        ended++
      })
    await lanes.idle()
    expect(ended).to.equal(5)
  })
})

describe('workloads: the gate', () => {
  it('lets in no more than its limit, and everybody in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.boolean(), { maxLength: 20 }),
        async (s, limit, fails) => {
          const gate = new Gate(limit, 100)
          let inside = 0
          const all = fails.map((fail) =>
            gate
              .run(async () => {
                expect(++inside).to.be.at.most(limit)
                await s.schedule(Promise.resolve())
                inside--
                if (fail) throw new Error('no')
              })
              .catch(() => {})
          )
          await s.waitFor(Promise.all(all))
          expect(inside).to.equal(0)
        }
      ),
      { seed: 2026, numRuns: 100 }
    )
  })

  it('refuses with QUEUE_FULL when too many wait, and takes more when one has left', async () => {
    const gate = new Gate(1, 1)
    const held = Promise.withResolvers<void>()
    const inside = gate.run(() => held.promise)
    const waiting = gate.run(async () => 'second')
    const refused = await gate.run(async () => 'third').catch((error: { code: string }) => error.code)
    expect(refused).to.equal('QUEUE_FULL')
    held.resolve()
    await inside
    expect(await waiting).to.equal('second')
    expect(await gate.run(async () => 'fourth')).to.equal('fourth')
  })

  it('lets owners in by turns, so that a burst of one does not hold up another', async () => {
    const gate = new Gate(1, 100)
    const held = Promise.withResolvers<void>()
    const order: string[] = []
    const inside = gate.run(() => held.promise)
    const all = ['anna 1', 'anna 2', 'anna 3', 'bert 1', 'cleo 1'].map((name) =>
      gate.run(async () => void order.push(name), { owner: name.split(' ')[0] })
    )
    held.resolve()
    await Promise.all([inside, ...all])
    expect(order).to.deep.equal(['anna 1', 'bert 1', 'cleo 1', 'anna 2', 'anna 3'])
  })

  it('gives the place of one that gave up to the next', async () => {
    const gate = new Gate(1, 10)
    const held = Promise.withResolvers<void>()
    const inside = gate.run(() => held.promise)
    const stop = new AbortController()
    const impatient = gate.run(async () => 'never', { signal: stop.signal })
    const patient = gate.run(async () => 'patient')
    stop.abort(new Error('gave up'))
    expect(await impatient.catch((error: Error) => error.message)).to.equal('gave up')
    held.resolve()
    await inside
    expect(await patient).to.equal('patient')
  })
})
