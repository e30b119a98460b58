import { expect } from 'chai'
import { ProvidersError } from '../../src/providers/errors.ts'
import type { ProviderView } from '../../src/providers/index.ts'
import { type FindSources, findEach, type Heard } from '../../src/providers/search/find.ts'

/** A checked statement of `peerId`; only who said it matters here. */
const view = (peerId: string, source: ProviderView['source'] = 'peer') => ({ peerId, source }) as ProviderView

interface World {
  readonly local?: readonly string[]
  readonly cached?: readonly string[]
  /** Those of the cached whose lease lasts. */
  readonly leased?: readonly string[]
  readonly connected?: readonly string[]
  /** Whom its own part of the DHT names. */
  readonly hinted?: readonly string[]
  readonly dht?: readonly string[]
  /** What each node answers: whom it names. Missing: it does not answer. */
  readonly answers?: Readonly<Record<string, readonly string[] | 'gone'>>
  /** Whom each node names from the DHT's records that it holds. */
  readonly hints?: Readonly<Record<string, readonly string[]>>
}

function sourcesOf({
  local = [],
  cached = [],
  leased = [],
  hinted = [],
  connected = [],
  dht = [],
  answers = {},
  hints = {}
}: World) {
  const asked: string[] = []
  const denied: string[] = []
  let completed = 0
  const unheard: number[] = []
  let walks = 0
  const sources: FindSources = {
    self: 'me',
    local: () => local.map((peerId) => view(peerId, 'local')),
    cached: () => cached.map((peerId) => view(peerId, 'cache')),
    connected: () => [...connected],
    hinted: async () => [...hinted],
    leased: () => leased.map((peerId) => view(peerId, 'cache')),
    deny: (peerId) => denied.push(peerId),
    onComplete: () => completed++,
    onOver: (count) => unheard.push(count),
    async ask(peerId, source) {
      asked.push(`${peerId} ${source}`)
      const named = answers[peerId]
      if (named === 'gone') throw new ProvidersError('PROVIDER_GONE', `${peerId} is gone`)
      if (named === undefined) throw new Error('does not answer')
      return { views: named.map((other) => view(other, source)), hints: hints[peerId] ?? [] }
    },
    async *dht() {
      walks++
      yield* dht
    }
  }
  return { sources, asked, denied, unheard, walks: () => walks, completed: () => completed }
}

async function found(
  sources: FindSources,
  { limit = 50, ...options }: { limit?: number; signal?: AbortSignal; fresh?: boolean } = {}
): Promise<string[]> {
  const all: string[] = []
  for await (const { peerId, source } of findEach(sources, options))
    if (all.push(`${peerId} ${source}`) >= limit) break
  return all
}

/** Answers in a later turn, as a network does. */
const slowly =
  (ask: FindSources['ask']): FindSources['ask'] =>
  async (...args) => {
    await new Promise((resolve) => setImmediate(resolve))
    return ask(...args)
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

  it('asks whom its own part of the DHT names before it bothers everybody', async () => {
    const { sources, asked } = sourcesOf({
      hinted: ['p'],
      connected: ['a', 'b'],
      answers: { p: ['p'], a: [], b: [] }
    })
    expect(await found(sources, { limit: 1 })).to.deep.equal(['p dht'])
    expect(asked).to.deep.equal(['p dht'])
    await found(sources)
    expect(asked.slice(1)).to.deep.equal(['p dht', 'a peer', 'b peer'])
  })

  it('walks the DHT only when nobody nearer provides it', async () => {
    const near = sourcesOf({ connected: ['a'], dht: ['z'], answers: { a: ['a'], z: ['z'] } })
    expect(await found(near.sources)).to.deep.equal(['a peer'])
    expect(near.walks()).to.equal(0)
    const far = sourcesOf({ connected: ['a'], dht: ['z'], answers: { a: [], z: ['z'] } })
    expect(await found(far.sources)).to.deep.equal(['z dht'])
    expect(far.walks()).to.equal(1)
  })

  it('says how many it heard nothing of, but for those that are known to be gone', async () => {
    const { sources, unheard } = sourcesOf({
      connected: ['a', 'silent', 'gone'],
      answers: { a: ['a', 'named'], gone: 'gone' }
    })
    await found(sources)
    await found(sources, { limit: 1 })
    expect(unheard[0], 'who is silent, and whom a named').to.equal(2)
    expect(unheard[1], 'also when it is cut short').to.be.greaterThan(0)
    const whole = sourcesOf({ connected: ['a'], answers: { a: ['a'] } })
    await found(whole.sources)
    expect(whole.unheard).to.deep.equal([0])
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

  it('takes a denial for what it is, and silence for nothing', async () => {
    const { sources, denied } = sourcesOf({
      cached: ['denies', 'silent', 'a'],
      answers: { denies: [], a: ['a'] }
    })
    expect(await found(sources)).to.deep.equal(['a cache'])
    expect(denied).to.deep.equal(['denies'])
  })

  it('believes a lease without asking, unless it is to be fresh', async () => {
    const world = { cached: ['a'], leased: ['a'], connected: ['b'], answers: { a: ['a'], b: ['b'] } }
    const one = sourcesOf(world)
    expect(await found(one.sources, { limit: 1 })).to.deep.equal(['a cache'])
    expect(one.asked).to.deep.equal([])
    const all = sourcesOf(world)
    expect(await found(all.sources)).to.deep.equal(['a cache', 'b peer'])
    expect(all.asked).to.deep.equal(['b peer'])
    const fresh = sourcesOf(world)
    expect(await found(fresh.sources, { fresh: true })).to.deep.equal(['a cache', 'b peer'])
    expect(fresh.asked).to.deep.equal(['a cache', 'b peer'])
  })

  it('shows what was known before, marked stale, when nobody can be asked', async () => {
    const cut = sourcesOf({ cached: ['a', 'b'] })
    expect(await found(cut.sources)).to.deep.equal(['a stale', 'b stale'])
    const denied = sourcesOf({ cached: ['a', 'b'], answers: { a: [] } })
    expect(await found(denied.sources)).to.deep.equal(['b stale'])
    const other = sourcesOf({ cached: ['a', 'b'], answers: { b: ['b'] } })
    expect(await found(other.sources)).to.deep.equal(['b cache'])
  })

  it('says that everybody was asked, and does not when it was cut short', async () => {
    const whole = sourcesOf({ connected: ['a'], answers: { a: ['a'] } })
    await found(whole.sources)
    expect(whole.completed()).to.equal(1)
    const cut = sourcesOf({ connected: ['a'], answers: { a: ['a'] } })
    await found(cut.sources, { limit: 1 })
    expect(cut.completed()).to.equal(0)
  })

  // found by npm run chaos: a node that had just started took it that nobody ran what it had, and ran it, too
  it('does not say so when nobody was there to be asked, as just after a start', async () => {
    const alone = sourcesOf({})
    await found(alone.sources)
    expect(alone.completed()).to.equal(0)
    const silent = sourcesOf({ connected: ['a'] })
    await found(silent.sources)
    expect(silent.completed()).to.equal(0)
  })

  it('asks the nearest of the connected first, whom it names from the DHT next, and then nobody else', async () => {
    const connected = ['near', 'b', 'c', 'd', 'e', 'f']
    const { sources, asked } = sourcesOf({
      connected,
      answers: { near: [], z: ['z'] },
      hints: { near: ['z', 'me', 'near'] }
    })
    expect(await found(sources, { limit: 1 })).to.deep.equal(['z dht'])
    expect(asked).to.deep.equal(['near peer', 'z dht'])
  })

  it('asks some more, and then all, when the nearest knows nothing', async () => {
    const connected = ['a', 'b', 'c', 'd', 'e', 'f']
    const answers = Object.fromEntries(connected.map((peerId) => [peerId, [] as string[]]))
    const some = sourcesOf({ connected, answers, hints: { c: ['z'] } })
    await found({ ...some.sources, ask: slowly(some.sources.ask) })
    expect(some.asked.slice(0, 4)).to.deep.equal(['a peer', 'b peer', 'c peer', 'd peer'])
    expect(new Set(some.asked)).to.deep.equal(new Set([...connected.map((one) => `${one} peer`), 'z dht']))
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
    const { sources } = sourcesOf({ connected: ['slow', 'a'], answers: { a: ['a'] } })
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
    const slow = Promise.withResolvers<Heard>()
    const { sources } = sourcesOf({ connected: ['slow', 'a'], answers: { a: ['a'] } })
    const ask: FindSources['ask'] = (peerId, source, signal) =>
      peerId === 'slow' ? slow.promise : sources.ask(peerId, source, signal)
    const search = findEach({ ...sources, ask })
    expect((await search.next()).value).to.include({ peerId: 'a' })
    slow.resolve({ views: [view('slow')], hints: [] })
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
