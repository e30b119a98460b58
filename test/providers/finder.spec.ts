import type { ConnectionManager } from '@libp2p/interface-internal'
import { expect } from 'chai'
import { raceSignal } from '../../src/common/index.ts'
import { signingKeyFromSeed } from '../../src/identity/index.ts'
import type { Asking } from '../../src/providers/search/asking.ts'
import { Finder } from '../../src/providers/search/finder.ts'
import { ProviderCache } from '../../src/providers/search/provider-cache.ts'
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
})
