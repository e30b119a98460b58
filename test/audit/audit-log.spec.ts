import { expect } from 'chai'
import sinon from 'sinon'
import { memoryStore, type Store } from '../../src/store/index.ts'
import { check, createLog } from './fixtures.ts'

/** A disk that fails when told to. */
function flaky(): { store: Store; disk: { fails: boolean; writes: number } } {
  const inner = memoryStore()
  const disk = { fails: false, writes: 0 }
  const write: Store['write'] = async (writes) => {
    if (disk.fails) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    disk.writes++
    await inner.write(writes)
  }
  return { store: { ...inner, write }, disk }
}

describe('audit: the log on disk', () => {
  it('writes what came within half a second together, and nobody waits for it', async () => {
    const { store, disk } = flaky()
    const { log } = await createLog({ store })
    const timers = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      for (let index = 0; index < 1_000; index++) log.append({ what: 'asked', action: 'apply', at: index })
      expect([disk.writes, log.state.sequence]).to.deep.equal([0, 0])
      await timers.tickAsync(500)
    } finally {
      timers.restore()
    }
    await log.flush()
    expect([disk.writes, log.state.sequence]).to.deep.equal([1, 1_000])
  })

  it('goes on where it stopped after a restart, and loses only what was not written', async () => {
    const first = await createLog()
    await first.write(3)
    first.log.append({ what: 'asked', action: 'apply', at: 1 })

    const { log, write, key } = await createLog({ store: first.store, key: first.key })
    await write(2)

    expect(log.state.sequence).to.equal(5)
    expect((await check(log, key.peerId)).faults).to.deep.equal([])
  })

  it('signs only what is on disk', async () => {
    const { log, write } = await createLog()
    await write(2)
    const before = await log.headAt()
    log.append({ what: 'asked', action: 'apply', at: 1 })
    expect(await log.headAt()).to.deep.equal(before)
    expect(await log.headAt(3)).to.equal(undefined)
  })

  it('never takes back when it got that long, whatever the clock does', async () => {
    const { log, write, clock } = await createLog()
    await write(1)
    const { atMs } = log.state
    clock.nowMs = 5
    await write(1)
    expect(log.state.atMs).to.equal(atMs + 1)
  })

  it('keeps entries until the disk takes them, in order', async () => {
    const { store, disk } = flaky()
    const { log, key, errors } = await createLog({ store })
    disk.fails = true
    log.append({ what: 'asked', action: 'apply', at: 1 })
    await log.flush().catch((error: unknown) => errors.push(error))
    log.append({ what: 'asked', action: 'delete', at: 2 })
    disk.fails = false
    await log.flush()

    expect(errors).to.have.length(1)
    const result = await check(log, key.peerId)
    expect([result.last, result.faults]).to.deep.equal([2, []])
  })

  it('counts what it cannot even hold, and says so when it can', async () => {
    const { store, disk } = flaky()
    const { log, key } = await createLog({ store })
    disk.fails = true
    for (let index = 0; index < 10_005; index++) log.append({ what: 'asked', action: 'apply', at: index })
    disk.fails = false
    await log.flush()
    log.append({ what: 'asked', action: 'apply', at: 1 })
    await log.flush()

    const result = await check(log, key.peerId)
    expect([result.last, result.faults]).to.deep.equal([10_002, []])
  })
})
