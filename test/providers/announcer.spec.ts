import { expect } from 'chai'
import { Announcer, type AnnouncerComponents } from '../../src/providers/announce/announcer.ts'
import { until } from '../fixtures/until.ts'

const MANIFEST = new Uint8Array([0x01, 0x55, 0x12, 0x20, ...new Uint8Array(32).fill(7)])

describe('providers: announcing', () => {
  let announcer: Announcer
  afterEach(() => announcer.stop())

  /** A neighbour that speaks the DHT, and a DHT of which each attempt is taken by as many as given, the last one for ever. */
  const announce = (takenBy: readonly number[], { neighbours = 1, addresses = 1 } = {}) => {
    const attempts: { signal: AbortSignal }[] = []
    const components = {
      connectionManager: {
        getConnections: () => Array.from({ length: neighbours }, () => ({ remotePeer: {} }))
      },
      peerStore: { get: async () => ({ protocols: ['/test/kad/1.0.0'] }) },
      addressManager: { getAddresses: () => Array.from({ length: addresses }) },
      contentRouting: {
        async provide(
          _cid: unknown,
          { signal, onProgress }: { signal: AbortSignal; onProgress: (event: object) => void }
        ) {
          const count = takenBy[Math.min(attempts.push({ signal }), takenBy.length) - 1]!
          for (let index = 0; index < count; index++)
            onProgress({ type: 'kad-dht:query:peer-response', detail: { messageName: 'ADD_PROVIDER' } })
          onProgress({ type: 'kad-dht:query:peer-response', detail: { messageName: 'FIND_NODE' } })
        },
        cancelReprovide: async () => {}
      }
    } as unknown as AnnouncerComponents
    const log = Object.assign(() => {}, {
      error() {},
      trace() {},
      enabled: false,
      newScope: () => ({}) as never
    })
    announcer = new Announcer(components, log)
    announcer.add('one', MANIFEST)
    return attempts
  }

  it('is not announced when nobody took it, though libp2p says that it was provided, and tries again', async () => {
    const attempts = announce([0, 3])
    await until('until it has tried', () => attempts.length === 1 || undefined)
    expect(announcer.has('one')).to.equal(false)
    await until('until it has tried again', () => attempts.length === 2 || undefined)
    expect(announcer.has('one')).to.equal(true)
  })

  it('gives every attempt a deadline, because libp2p waits for three minutes', async () => {
    const attempts = announce([1])
    await until('until it has tried', () => attempts.length === 1 || undefined)
    expect(attempts[0]!.signal).to.be.instanceOf(AbortSignal)
  })

  it('is done when there is nobody to tell, and waits while it has no address to tell', async () => {
    const alone = announce([1], { neighbours: 0 })
    await until('until it knows that it is alone', () => announcer.has('one') || undefined)
    expect(alone).to.deep.equal([])
    announcer.stop()
    const unreachable = announce([1], { addresses: 0 })
    await new Promise((resolve) => setImmediate(resolve))
    expect(unreachable).to.deep.equal([])
    expect(announcer.has('one')).to.equal(false)
  })
})
