import type { ConnectionManager } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { raceSignal } from '../../src/common/index.ts'
import { signingKeyFromSeed } from '../../src/identity/index.ts'
import type { Asking } from '../../src/providers/search/asking.ts'
import { Finder } from '../../src/providers/search/finder.ts'
import { ProviderCache } from '../../src/providers/search/provider-cache.ts'
import { PENALTY_MS } from '../../src/wire/conduct/penalties.ts'
import { Penalties } from '../../src/wire/index.ts'

describe('providers: a search', () => {
  const silent = signingKeyFromSeed(new Uint8Array(32).fill(1)).peerId

  it('waits no longer for a node that is found dead, and goes on for one that only lost its connection', async () => {
    // given
    let isDead = false
    const asked: AbortSignal[] = []
    const asking = {
      hints: async () => [silent],
      walk: async function* () {},
      ask: (_peer: unknown, _id: unknown, _source: unknown, signal: AbortSignal) => {
        asked.push(signal)
        return raceSignal(new Promise<never>(() => {}), signal)
      }
    } as unknown as Asking
    const finder = new Finder({
      self: 'self',
      labels: {},
      cache: new ProviderCache(() => 0),
      penalties: new Penalties(() => 0),
      asking,
      connectionManager: { getConnectionsMap: () => new Map() } as unknown as ConnectionManager,
      isGone: () => isDead,
      own: { views: () => [] }
    })

    // when
    const finding = finder.find(new Uint8Array(36))
    while (asked.length === 0) await new Promise(setImmediate)
    finder.lose(silent)
    const wasLeftAlone = asked[0]!.aborted === false
    isDead = true
    finder.lose(silent)

    // then
    expect(await finding).to.deep.equal([])
    expect(wasLeftAlone).to.equal(true)
  })

  // found by the stories of thirty: a copy too many on it was seen half a minute later
  it('counts who is left alone for being slow as not heard, until everybody was asked', async () => {
    let nowMs = 0
    const other = signingKeyFromSeed(new Uint8Array(32).fill(2)).peerId
    const asking = {
      hints: async () => [],
      walk: async function* () {},
      ask: async () => ({ views: [], hints: [] })
    } as unknown as Asking
    const cache = new ProviderCache(() => nowMs)
    const penalties = new Penalties(() => nowMs)
    const peers = [silent, other].map((peerId) => [peerIdFromString(peerId), []] as const)
    const connectionManager = { getConnectionsMap: () => new Map(peers) } as unknown as ConnectionManager
    const own = { views: () => [] }
    const finder = new Finder({ self: 'self', labels: {}, cache, penalties, asking, connectionManager, own })
    const key = '00'.repeat(36)

    penalties.strike(silent)
    const finding = finder.find(new Uint8Array(36))
    expect(cache.unheard(key), 'while it goes on').to.equal(1)
    await finding
    expect(cache.unheard(key)).to.equal(1)

    nowMs += PENALTY_MS.first
    await finder.find(new Uint8Array(36))
    expect(cache.unheard(key)).to.equal(0)
  })
})
