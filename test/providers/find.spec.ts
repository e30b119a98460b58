import { expect } from 'chai'
import { type FindSources, findEach } from '../../src/providers/find.ts'
import type { ProviderView } from '../../src/providers/index.ts'

/** A checked statement of `peerId`; only who said it matters here. */
const view = (peerId: string, source: ProviderView['source'] = 'peer') => ({ peerId, source }) as ProviderView

interface World {
  readonly local?: readonly string[]
  readonly cached?: readonly string[]
  readonly connected?: readonly string[]
  readonly dht?: readonly string[]
  /** What each node answers: whom it names. Missing: it does not answer. */
  readonly answers?: Readonly<Record<string, readonly string[]>>
}

function sourcesOf({ local = [], cached = [], connected = [], dht = [], answers = {} }: World) {
  const asked: string[] = []
  const forgotten: string[] = []
  let walks = 0
  const sources: FindSources = {
    self: 'me',
    local: () => local.map((peerId) => view(peerId, 'local')),
    cached: () => cached.map((peerId) => view(peerId, 'cache')),
    connected: () => [...connected],
    forget: (peerId) => forgotten.push(peerId),
    async ask(peerId, source) {
      asked.push(`${peerId} ${source}`)
      const named = answers[peerId]
      if (named === undefined) throw new Error('does not answer')
      return named.map((other) => view(other, source))
    },
    async *dht() {
      walks++
      yield* dht
    }
  }
  return { sources, asked, forgotten, walks: () => walks }
}

async function found(
  sources: FindSources,
  options?: { limit?: number; signal?: AbortSignal }
): Promise<string[]> {
  const all: string[] = []
  for await (const { peerId, source } of findEach(sources, options)) all.push(`${peerId} ${source}`)
  return all
}

describe('providers: the order of a search', () => {
  it('begins with this node and asks nobody when that is enough', async () => {
    const { sources, asked } = sourcesOf({ local: ['me'], cached: ['a'], connected: ['b'] })
    expect(await found(sources, { limit: 1 })).to.deep.equal(['me local'])
    expect(asked).to.deep.equal([])
  })

  it('asks whoever is remembered and connected, each once, remembered first', async () => {
    const { sources, asked } = sourcesOf({
      cached: ['a', 'b'],
      connected: ['b', 'c'],
      answers: { a: ['a'], b: ['b'], c: [] }
    })
    expect((await found(sources)).sort()).to.deep.equal(['a cache', 'b cache'])
    expect(asked).to.deep.equal(['a cache', 'b cache', 'c peer'])
  })

  it('walks the DHT only when nobody nearer provides it', async () => {
    const near = sourcesOf({ connected: ['a'], dht: ['z'], answers: { a: ['a'], z: ['z'] } })
    expect(await found(near.sources)).to.deep.equal(['a peer'])
    expect(near.walks()).to.equal(0)
    const far = sourcesOf({ connected: ['a'], dht: ['z'], answers: { a: [], z: ['z'] } })
    expect(await found(far.sources)).to.deep.equal(['z dht'])
    expect(far.walks()).to.equal(1)
  })

  it('does not believe hearsay: a provider that is named is asked itself', async () => {
    const { sources, asked } = sourcesOf({ connected: ['a'], answers: { a: ['p', 'gone'], p: ['p'] } })
    expect(await found(sources)).to.deep.equal(['p peer'])
    expect(asked).to.deep.equal(['a peer', 'p peer', 'gone peer'])
  })

  it('does not believe the DHT: a provider that denies or is silent does not count', async () => {
    const { sources } = sourcesOf({ dht: ['denies', 'silent'], answers: { denies: [] } })
    expect(await found(sources)).to.deep.equal([])
  })

  it('forgets who does not provide it any more, or does not answer', async () => {
    const { sources, forgotten } = sourcesOf({
      cached: ['denies', 'silent', 'a'],
      answers: { denies: [], a: ['a'] }
    })
    await found(sources)
    expect(forgotten.sort()).to.deep.equal(['denies', 'silent'])
  })

  it('never asks itself, whoever names it', async () => {
    const { sources, asked } = sourcesOf({ connected: ['a', 'me'], dht: ['me'], answers: { a: ['me'] } })
    await found(sources)
    expect(asked).to.deep.equal(['a peer'])
  })

  it('ends when nodes name each other in a circle, and when they name thousands', async () => {
    const circle = sourcesOf({ connected: ['a'], answers: { a: ['b'], b: ['a'] } })
    expect(await found(circle.sources)).to.deep.equal([])
    const many = Array.from({ length: 5_000 }, (_, index) => `x${index}`)
    const flood = sourcesOf({ connected: ['a'], answers: { a: many } })
    await found(flood.sources)
    expect(flood.asked.length).to.be.at.most(100)
  })

  it('stops at the limit, and tells those still asked', async () => {
    let stopped = false
    const { sources } = sourcesOf({ connected: ['a', 'slow'], answers: { a: ['a'] } })
    const ask: FindSources['ask'] = (peerId, source, signal) =>
      peerId === 'slow'
        ? new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              stopped = true
              reject(signal.reason)
            })
          })
        : sources.ask(peerId, source, signal)
    expect(await found({ ...sources, ask }, { limit: 1 })).to.deep.equal(['a peer'])
    expect(stopped).to.equal(true)
  })

  it('yields the quick ones without waiting for the slow', async () => {
    const slow = Promise.withResolvers<ProviderView[]>()
    const { sources } = sourcesOf({ connected: ['slow', 'a'], answers: { a: ['a'] } })
    const ask: FindSources['ask'] = (peerId, source, signal) =>
      peerId === 'slow' ? slow.promise : sources.ask(peerId, source, signal)
    const search = findEach({ ...sources, ask })
    expect((await search.next()).value).to.include({ peerId: 'a' })
    slow.resolve([view('slow')])
    expect((await search.next()).value).to.include({ peerId: 'slow' })
    expect((await search.next()).done).to.equal(true)
  })

  it('ends when the caller gives up, also beside a node that never answers', async () => {
    const { sources } = sourcesOf({ connected: ['silent'] })
    const stop = new AbortController()
    const ask: FindSources['ask'] = (_peer, _source, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        setImmediate(() => stop.abort(new Error('enough')))
      })
    expect(await found({ ...sources, ask }, { signal: stop.signal })).to.deep.equal([])
  })

  it('gives what was found when the DHT fails', async () => {
    const { sources } = sourcesOf({ connected: [], answers: { z: ['z'] } })
    const dht = async function* () {
      yield 'z'
      throw new Error('the walk broke off')
    }
    expect(await found({ ...sources, dht })).to.deep.equal(['z dht'])
  })
})
