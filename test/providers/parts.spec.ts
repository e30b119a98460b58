import { expect } from 'chai'
import { Interest } from '../../src/providers/announce/interest.ts'
import { INTEREST_MAX_PEERS, INTEREST_MS } from '../../src/providers/constants.ts'
import type { ProviderView } from '../../src/providers/index.ts'
import { best, matches } from '../../src/providers/search/select.ts'
import { SharedSearches } from '../../src/providers/search/shared-search.ts'

const view = (peerId: string, more: Partial<ProviderView> = {}) =>
  ({
    peerId,
    source: 'peer',
    version: 1,
    labels: {},
    workloads: [],
    issuedAtMs: 0,
    ...more
  }) as unknown as ProviderView

describe('providers: which one is what was asked for, and which is best', () => {
  const around = {
    self: 'me',
    labels: { zone: 'z1', region: 'r1' },
    roundTripMs: (peerId: string) => ({ near: 1, far: 80 })[peerId]
  }
  const order = (...views: ProviderView[]) => best(views, {}, around).map(({ peerId }) => peerId)

  it('takes this node, then the same zone, the same region, the shortest way, the freshest word; stale ones last', () => {
    const views = [
      view('stale', { source: 'stale', labels: { zone: 'z1' } }),
      view('unmeasured', { issuedAtMs: 9 }),
      view('older', { issuedAtMs: 5 }),
      view('far'),
      view('near'),
      view('region', { labels: { region: 'r1' } }),
      view('zone', { labels: { zone: 'z1', region: 'r1' } }),
      view('me')
    ]
    const expected = ['me', 'zone', 'region', 'near', 'far', 'unmeasured', 'older', 'stale']
    expect(order(...views)).to.deep.equal(expected)
    expect(order(...views.reverse())).to.deep.equal(expected)
    expect(best(views, { limit: 2 }, around).map(({ peerId }) => peerId)).to.deep.equal(['me', 'zone'])
  })

  it('goes by engine, labels and version', () => {
    const one = view('a', {
      version: 5,
      labels: { gpu: 'yes' },
      workloads: [{ engine: 'podman' }] as unknown as ProviderView['workloads']
    })
    expect(matches(one, {})).to.equal(true)
    expect(matches(one, { engine: 'podman', labels: { gpu: 'yes' }, minVersion: 5 })).to.equal(true)
    expect(matches(one, { engine: 'docker' })).to.equal(false)
    expect(matches(one, { labels: { gpu: 'no' } })).to.equal(false)
    expect(matches(one, { labels: { disk: 'ssd' } })).to.equal(false)
    expect(matches(one, { minVersion: 6 })).to.equal(false)
  })
})

describe('providers: who is told of changes', () => {
  it('is who asked lately, each of what it asked for, in a bounded number', () => {
    let nowMs = 0
    const interest = new Interest(() => nowMs)
    interest.note('a', 'm')
    interest.note('a', 'n')
    interest.note('b', 'n')
    expect([...interest.each()]).to.deep.equal([
      ['a', ['m', 'n']],
      ['b', ['n']]
    ])
    expect([...interest.each('m')]).to.deep.equal([['a', ['m']]])
    interest.drop('a', ['n'])
    expect([...interest.each('n')]).to.deep.equal([['b', ['n']]])
    interest.forget('b')
    nowMs += INTEREST_MS
    expect([...interest.each()]).to.deep.equal([])
    for (let index = 0; index <= INTEREST_MAX_PEERS; index++) interest.note(`p${index}`, 'm')
    expect([...interest.each()]).to.have.length(INTEREST_MAX_PEERS)
  })
})

describe('providers: callers that look for the same at the same time', () => {
  const collect = async (views: AsyncIterable<ProviderView>) => {
    const all: string[] = []
    for await (const { peerId } of views) all.push(peerId)
    return all
  }

  it('share one search, each from its beginning', async () => {
    const searches = new SharedSearches()
    const gate = Promise.withResolvers<void>()
    let started = 0
    const start = async function* () {
      started++
      yield view('a')
      await gate.promise
      yield view('b')
    }
    const first = collect(searches.read('m', start))
    const second = searches.read('m', start)
    expect((await second.next()).value.peerId).to.equal('a')
    const third = collect(searches.read('m', start))
    gate.resolve()
    expect(await first).to.deep.equal(['a', 'b'])
    expect(await third).to.deep.equal(['a', 'b'])
    expect((await second.next()).value.peerId).to.equal('b')
    expect(started).to.equal(1)
    expect(await collect(searches.read('m', start))).to.deep.equal(['a', 'b'])
    expect(started).to.equal(2)
  })

  it('end it when the last of them leaves, and not before', async () => {
    const searches = new SharedSearches()
    let aborted = false
    const start = async function* (signal: AbortSignal) {
      yield view('a')
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          aborted = true
          resolve()
        })
      })
    }
    const stop = new AbortController()
    const one = collect(searches.read('m', start, stop.signal))
    const two = searches.read('m', start)
    await two.next()
    stop.abort()
    expect(await one).to.deep.equal(['a'])
    expect(aborted).to.equal(false)
    await two.return(undefined)
    expect(aborted).to.equal(true)
  })

  it('all hear of its failure', async () => {
    const searches = new SharedSearches()
    const start = async function* () {
      yield view('a')
      throw new Error('broke off')
    }
    const outcomes = await Promise.allSettled([
      collect(searches.read('m', start)),
      collect(searches.read('m', start))
    ])
    for (const outcome of outcomes) expect(outcome.status).to.equal('rejected')
  })
})
