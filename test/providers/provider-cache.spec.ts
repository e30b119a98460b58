import { expect } from 'chai'
import {
  CACHE_MAX_MANIFESTS,
  CACHE_TTL_MS,
  COMPLETE_MS,
  LEASE_MS,
  MAX_KNOWN_PROVIDERS,
  NEGATIVE_MS
} from '../../src/providers/constants.ts'
import type { ProviderView } from '../../src/providers/index.ts'
import { ProviderCache } from '../../src/providers/search/provider-cache.ts'

describe('providers: the cache', () => {
  let nowMs: number
  let cache: ProviderCache
  beforeEach(() => {
    nowMs = 1_000_000
    cache = new ProviderCache(() => nowMs)
  })
  const view = (peerId: string, issuedAtMs = nowMs) =>
    ({
      peerId,
      issuedAtMs,
      version: 1,
      workloads: [{}],
      leaseUntilMs: issuedAtMs + LEASE_MS
    }) as unknown as ProviderView
  const put = (key: string, peerId: string, issuedAtMs = nowMs) =>
    cache.put(key, view(peerId, issuedAtMs), nowMs + LEASE_MS)
  const names = (views: readonly ProviderView[] | undefined) => views?.map(({ peerId }) => peerId)

  it('remembers whom to ask for its time, and what runs only while the lease lasts', () => {
    put('m', 'a')
    nowMs += LEASE_MS - 1
    expect(names(cache.leased('m'))).to.deep.equal(['a'])
    nowMs += 1
    expect(names(cache.leased('m'))).to.deep.equal([])
    nowMs += CACHE_TTL_MS - LEASE_MS - 1
    expect(names(cache.get('m'))).to.deep.equal(['a'])
    nowMs += 1
    expect(names(cache.get('m'))).to.deep.equal([])
  })

  it('lets the provider renew its lease for the version that is known, and for no other', () => {
    put('m', 'a')
    nowMs += LEASE_MS - 1
    expect(cache.renew('m', 'a', { version: 1, running: 1, leaseMs: LEASE_MS })).to.equal(true)
    expect(cache.renew('m', 'a', { version: 2, running: 1, leaseMs: LEASE_MS })).to.equal(false)
    expect(cache.renew('m', 'b', { version: 1, running: 1, leaseMs: LEASE_MS })).to.equal(false)
    nowMs += LEASE_MS - 1
    expect(names(cache.leased('m'))).to.deep.equal(['a'])
  })

  it('takes hearsay for whom to ask, never for what runs', () => {
    cache.put('m', view('a'), 0)
    expect(names(cache.get('m'))).to.deep.equal(['a'])
    expect(names(cache.leased('m'))).to.deep.equal([])
  })

  // found by a story on machines: a node that was restarted with its clock 20 s behind was not seen to run what it ran
  it('believes what a node answers after a restart, though its clock is behind what it said before', () => {
    const [first, second] = [1, 2].map((byte) => new Uint8Array(16).fill(byte)) as [Uint8Array, Uint8Array]
    const earlier = { ...view('a', nowMs - 20_000), bootId: second }
    const leaseMs = nowMs + LEASE_MS
    const runs = () => names(cache.leased('m'))
    for (const goodbye of [true, false]) {
      cache = new ProviderCache(() => nowMs)
      cache.put('m', { ...view('a'), bootId: first }, leaseMs)
      if (goodbye) cache.deny('m', 'a', { atMs: nowMs, bootId: first })
      else cache.expire('a')

      expect(cache.put('m', earlier, leaseMs), 'passed on, it may be old').to.equal(false)
      expect(runs()).to.deep.equal([])
      const sameRun = { ...earlier, bootId: first }
      expect(cache.put('m', sameRun, leaseMs, { isAnswer: true }), 'its clock stands still').to.equal(false)
      expect(cache.put('m', earlier, leaseMs, { isAnswer: true })).to.equal(true)
      expect(runs()).to.deep.equal(['a'])
    }
  })

  it('keeps the newer of two statements, in whichever order they come', () => {
    expect(put('m', 'a')).to.equal(true)
    expect(put('m', 'a', nowMs - 5_000)).to.equal(false)
    expect(cache.get('m')[0]!.issuedAtMs).to.equal(nowMs)
    expect(put('m', 'a', nowMs + 5)).to.equal(true)
    expect(cache.get('m')[0]!.issuedAtMs).to.equal(nowMs + 5)
  })

  it('believes a provider that takes it back, and no older statement after that', () => {
    put('m', 'a')
    put('m', 'b')
    cache.deny('m', 'a', { atMs: nowMs + 10 })
    expect(names(cache.get('m'))).to.deep.equal(['b'])
    expect(put('m', 'a', nowMs + 10)).to.equal(false)
    expect(put('m', 'a', nowMs + 11)).to.equal(true)
    cache.deny('m', 'a', { atMs: nowMs + 10 })
    expect(names(cache.get('m'))).to.deep.equal(['b', 'a'])
    cache.deny('m', 'a')
    expect(names(cache.get('m'))).to.deep.equal(['b'])
    cache.deny('other', 'b')
    cache.deny('m', 'never heard of')
    expect(put('m', 'never heard of', 1)).to.equal(true)
  })

  it('answers without asking anybody after everybody was asked, for a while, and only while each lease lasts', () => {
    put('m', 'a')
    expect(cache.complete('m')).to.equal(undefined)
    cache.markComplete('m')
    expect(names(cache.complete('m'))).to.deep.equal(['a'])
    cache.expire('a')
    expect(cache.complete('m')).to.equal(undefined)
    put('m', 'a')
    nowMs += COMPLETE_MS
    put('m', 'a')
    expect(cache.complete('m')).to.equal(undefined)
    cache.markComplete('m')
    cache.markIncomplete('m')
    expect(cache.complete('m')).to.equal(undefined)
  })

  it('asks again when somebody is there that nobody could ask before', () => {
    for (const key of ['m', 'n']) {
      put(key, 'a')
      cache.markComplete(key)
    }
    cache.markAllIncomplete()
    expect([cache.complete('m'), cache.complete('n')]).to.deep.equal([undefined, undefined])
    expect(names(cache.leased('m'))).to.deep.equal(['a'])
  })

  it('remembers that there was nobody, for a shorter while', () => {
    cache.markComplete('m')
    expect(cache.complete('m')).to.deep.equal([])
    nowMs += NEGATIVE_MS
    expect(cache.complete('m')).to.equal(undefined)
  })

  it('holds a node that is gone for a node to ask, in every manifest', () => {
    for (const key of ['m', 'n']) put(key, 'a')
    cache.expire('a')
    expect([...cache.leased('m'), ...cache.leased('n')]).to.deep.equal([])
    expect(names(cache.get('n'))).to.deep.equal(['a'])
  })

  it('holds no more providers and manifests than it may, the oldest goes', () => {
    for (let index = 0; index <= MAX_KNOWN_PROVIDERS; index++) put('m', `p${index}`)
    expect(cache.get('m')).to.have.length(MAX_KNOWN_PROVIDERS)
    expect(names(cache.get('m'))).not.to.include('p0')
    for (let index = 0; index < CACHE_MAX_MANIFESTS; index++) put(`m${index}`, 'a')
    expect(cache.get('m')).to.deep.equal([])
    expect(cache.get('m0')).to.have.length(1)
  })
})
