import { expect } from 'chai'
import { CACHE_MAX_MANIFESTS, CACHE_TTL_MS, LEASE_MS, MAX_PROVIDERS } from '../../src/providers/constants.ts'
import type { ProviderView } from '../../src/providers/index.ts'
import { ProviderCache } from '../../src/providers/provider-cache.ts'

describe('providers: the cache', () => {
  let nowMs: number
  let cache: ProviderCache
  beforeEach(() => {
    nowMs = 1_000_000
    cache = new ProviderCache(() => nowMs)
  })
  const view = (peerId: string, issuedAtMs = nowMs) =>
    ({ peerId, issuedAtMs, leaseUntilMs: issuedAtMs + LEASE_MS }) as ProviderView
  const names = (views: readonly ProviderView[]) => views.map(({ peerId }) => peerId)

  it('remembers whom to ask for its time, and what to pass on only while the lease lasts', () => {
    cache.put('m', view('a'))
    nowMs += LEASE_MS - 1
    expect(names(cache.leased('m'))).to.deep.equal(['a'])
    nowMs += 1
    expect(names(cache.leased('m'))).to.deep.equal([])
    nowMs += CACHE_TTL_MS - LEASE_MS - 1
    expect(names(cache.get('m'))).to.deep.equal(['a'])
    nowMs += 1
    expect(names(cache.get('m'))).to.deep.equal([])
  })

  it('keeps the newer of two statements, in whichever order they come', () => {
    cache.put('m', view('a', nowMs))
    cache.put('m', view('a', nowMs - 5_000))
    expect(cache.get('m')[0]!.issuedAtMs).to.equal(nowMs)
    cache.put('m', view('a', nowMs + 5))
    expect(cache.get('m')[0]!.issuedAtMs).to.equal(nowMs + 5)
  })

  it('forgets one provider and keeps the others', () => {
    cache.put('m', view('a'))
    cache.put('m', view('b'))
    cache.forget('m', 'a')
    cache.forget('other', 'b')
    expect(names(cache.get('m'))).to.deep.equal(['b'])
  })

  it('holds no more providers and manifests than it may, the oldest goes', () => {
    for (let index = 0; index <= MAX_PROVIDERS; index++) cache.put('m', view(`p${index}`))
    expect(cache.get('m')).to.have.length(MAX_PROVIDERS)
    expect(names(cache.get('m'))).not.to.include('p0')
    for (let index = 0; index < CACHE_MAX_MANIFESTS; index++) cache.put(`m${index}`, view('a'))
    expect(cache.get('m')).to.deep.equal([])
    expect(cache.get('m0')).to.have.length(1)
  })
})
