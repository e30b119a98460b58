import { defaultLogger } from '@libp2p/logger'
import { expect } from 'chai'
import {
  MAX_LOST,
  REDIAL_ATTEMPTS,
  REDIAL_CONCURRENCY,
  REDIAL_MAX_WAIT_MS
} from '../../src/reach/constants.ts'
import { Redialler } from '../../src/reach/redialler.ts'
import type { Whereabouts } from '../../src/reach/types.ts'

const LONGEST_MS = REDIAL_MAX_WAIT_MS * 2

/** A redialler on a clock of its own whose dials fail until told otherwise. */
function setUp(isMember = true) {
  const state = { nowMs: 0, dialled: [] as string[], connected: new Set<string>(), works: false }
  const redialler = new Redialler({
    find: (peerId): Whereabouts | undefined => (isMember ? { peerId, addresses: ['/memory/a'] } : undefined),
    dial: async ({ peerId }) => {
      state.dialled.push(peerId)
      if (!state.works) throw new Error('silent')
      state.connected.add(peerId)
    },
    isConnected: (peerId) => state.connected.has(peerId),
    now: () => state.nowMs,
    log: defaultLogger().forComponent('test')
  })
  const { signal } = new AbortController()
  const pass = async (ms: number) => {
    state.nowMs += ms
    redialler.look(signal)
    await new Promise(setImmediate)
  }
  return { redialler, state, pass }
}

describe('reach: dialling again', () => {
  it('dials a member whose connection was lost with growing pauses, and gives up at last', async () => {
    const { redialler, state, pass } = setUp()
    redialler.lost('a')
    await pass(0)
    expect(state.dialled, 'at once').to.deep.equal([])
    await pass(2_000)
    await pass(500)
    expect(state.dialled, 'before the pause is over').to.deep.equal(['a'])
    for (let i = 0; i < 20; i++) await pass(LONGEST_MS)
    expect(state.dialled).to.have.length(REDIAL_ATTEMPTS)
  })

  it('stops once it is connected, and starts anew when it is lost again', async () => {
    const { redialler, state, pass } = setUp()
    state.works = true
    redialler.lost('a')
    await pass(LONGEST_MS)
    await pass(LONGEST_MS)
    expect(state.dialled).to.deep.equal(['a'])
    state.connected.clear()
    redialler.lost('a')
    await pass(LONGEST_MS)
    expect(state.dialled).to.deep.equal(['a', 'a'])
  })

  it('leaves out who is no member, and dials what was found near by once', async () => {
    const { redialler, state, pass } = setUp(false)
    redialler.lost('stranger')
    redialler.found({ peerId: 'near', addresses: ['/memory/b'] })
    for (let i = 0; i < 3; i++) await pass(LONGEST_MS)
    expect(state.dialled).to.deep.equal(['near'])
  })

  it('remembers and dials no more at once than it may', async () => {
    const { redialler, state, pass } = setUp()
    for (let i = 0; i < MAX_LOST * 2; i++) redialler.lost(`peer ${i}`)
    await pass(LONGEST_MS)
    expect(state.dialled).to.have.length(REDIAL_CONCURRENCY)
    state.works = true
    for (let i = 0; i < MAX_LOST; i++) await pass(LONGEST_MS)
    expect(state.connected.size).to.equal(MAX_LOST)
  })
})
