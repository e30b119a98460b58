import { repeat, toHex, withDeadline } from '../../../src/common/index.ts'
import { Interest } from '../../../src/providers/announce/interest.ts'
import { ASK_TIMEOUT_MS, LEASE_MS, RENEW_MS, TELL_QUIET_MS } from '../../../src/providers/constants.ts'
import { findEach } from '../../../src/providers/search/find.ts'
import { ProviderCache } from '../../../src/providers/search/provider-cache.ts'
import type {
  FindOptions,
  ProvidedManifest,
  ProvidersService,
  ProviderView
} from '../../../src/providers/types.ts'
import { rank } from '../../../src/scheduler/keeping/rank.ts'
import type { Neighbour } from '../../../src/scheduler/types.ts'
import type { End, SimulatedWire } from '../network/wire.ts'

type Workload = ProviderView['workloads'][number]

export interface LeasesInit {
  readonly self: { readonly peerId: string; readonly name: string; readonly bootId: Uint8Array }
  readonly end: End
  readonly wire: SimulatedWire
  readonly now: () => number
  readonly neighbours: () => readonly Neighbour[]
  /** The same part of another node, and where it stands. */
  readonly of: (peerId: string) => { readonly at: number; readonly leases: () => Leases } | undefined
  readonly signal: AbortSignal
}

/**
 * Who runs what, as src/providers has it: the real cache, the real order of a search and the real memory of who asked, over the simulated
 * wire. Modelled: statements are not signed, the DHT names nobody, gossip is one hop.
 */
export class Leases implements Pick<ProvidersService, 'announce' | 'withdraw' | 'leased' | 'isAnnounced'> {
  readonly #init: LeasesInit
  readonly #cache: ProviderCache
  readonly #interest: Interest
  readonly #provided = new Map<
    string,
    { manifestId: Uint8Array; describe: () => ProvidedManifest | undefined }
  >()
  readonly #changed = new Set<string>()
  readonly #asked = new Map<string, Set<AbortController>>()
  #isTelling = false

  constructor(init: LeasesInit) {
    this.#init = init
    this.#cache = new ProviderCache(init.now)
    this.#interest = new Interest(init.now)
  }

  start(): void {
    void repeat(RENEW_MS, async () => this.#renew(), { signal: this.#init.signal, onError: () => {} })
  }

  announce(manifestId: Uint8Array, describe: () => ProvidedManifest | undefined): void {
    const key = toHex(manifestId)
    this.#provided.set(key, { manifestId, describe })
    this.#onChange(key)
    for (const view of this.#own(key)) this.#gossip((leases) => leases.#hear(key, view))
  }

  withdraw(manifestId: Uint8Array): void {
    const key = toHex(manifestId)
    const was = this.#provided.delete(key)
    this.#onChange(key)
    const { now, self } = this.#init
    const atMs = now()
    if (was) this.#gossip((leases) => leases.#cache.deny(key, self.peerId, atMs))
  }

  /** Nothing runs here any more for anybody, because the process ends in order. */
  async withdrawAll(): Promise<void> {
    for (const { manifestId } of [...this.#provided.values()]) this.withdraw(manifestId)
  }

  lose(peerId: string): void {
    for (const asked of this.#asked.get(peerId) ?? []) asked.abort(new Error(`${peerId} is gone`))
    this.#cache.expire(peerId)
    this.#interest.forget(peerId)
  }

  leased(manifestId: Uint8Array): ProviderView[] {
    const key = toHex(manifestId)
    return [...this.#own(key), ...this.#cache.leased(key)]
  }

  isAnnounced(): boolean {
    return true
  }

  async find(
    manifestId: Uint8Array,
    { signal, fresh = false, likely, enough }: FindOptions = {}
  ): Promise<ProviderView[]> {
    const key = toHex(manifestId)
    const known = fresh ? undefined : this.#cache.complete(key)
    if (known !== undefined) return [...known, ...this.#own(key)]
    const found: ProviderView[] = []
    const search = findEach(
      {
        self: this.#init.self.peerId,
        local: () => this.#own(key),
        cached: () => this.#cache.get(key),
        leased: () => this.#cache.leased(key),
        deny: (peerId) => this.#cache.deny(key, peerId),
        connected: () => this.#connected(manifestId),
        hinted: async () => [],
        ask: (peerId, _source, limit) => this.#ask(peerId, key, limit),
        dht: async function* () {},
        onComplete: () => this.#cache.markComplete(key)
      },
      { signal, fresh, likely }
    )
    for await (const view of search) {
      found.push(view)
      if (enough?.(found)) break
    }
    return found
  }

  #connected(manifestId: Uint8Array): string[] {
    const live = this.#init
      .neighbours()
      .filter(({ self, state }) => !self && (state === 'alive' || state === 'suspect'))
    return rank(manifestId, live).map(({ peerId }) => peerId)
  }

  async #ask(peerId: string, key: string, signal: AbortSignal) {
    const { end, wire, of, self, now } = this.#init
    const other = of(peerId)
    const isGone = this.#init.neighbours().find((one) => one.peerId === peerId)?.state === 'dead'
    if (other === undefined || isGone) throw new Error(`${peerId} is gone`)
    const lost = new AbortController()
    const asked = this.#asked.get(peerId) ?? new Set()
    this.#asked.set(peerId, asked.add(lost))
    const limit = AbortSignal.any([withDeadline(ASK_TIMEOUT_MS, signal), lost.signal])
    const serve = () => other.leases().#answer(key, self.peerId)
    const views = await wire
      .ask(end, other.at, { name: 'lookup', serve, signal: limit, quick: false })
      .finally(() => asked.delete(lost))
    for (const view of views)
      if (view.peerId !== self.peerId)
        this.#cache.put(key, view, view.peerId === peerId ? now() + LEASE_MS : 0)
    return { views, hints: [] }
  }

  #answer(key: string, from: string): ProviderView[] {
    const own = this.#own(key)
    if (own.length > 0) this.#interest.note(from, key)
    return [...own, ...this.#cache.leased(key)]
  }

  #own(key: string): ProviderView[] {
    const entry = this.#provided.get(key)
    const provided = entry?.describe()
    if (entry === undefined || provided === undefined) return []
    const { self, now } = this.#init
    return [
      {
        peerId: self.peerId,
        nodeName: self.name,
        manifestId: entry.manifestId,
        version: provided.version,
        highest: provided.highest ?? provided.version,
        bootId: self.bootId,
        labels: {},
        capabilities: [],
        workloads: provided.workloads as readonly Workload[],
        source: 'local',
        issuedAtMs: now(),
        leaseUntilMs: now() + LEASE_MS,
        statement: new Uint8Array()
      }
    ]
  }

  #onChange(key: string): void {
    this.#changed.add(key)
    if (this.#isTelling) return
    this.#isTelling = true
    setTimeout(() => {
      this.#isTelling = false
      const keys = [...this.#changed]
      this.#changed.clear()
      for (const one of keys) for (const [peer] of this.#interest.each(one)) this.#tell(peer, [one])
    }, TELL_QUIET_MS)
  }

  #renew(): void {
    for (const [peer, keys] of [...this.#interest.each()]) this.#tell(peer, keys)
  }

  #tell(peerId: string, keys: readonly string[]): void {
    const { end, wire, of, self, now } = this.#init
    const other = of(peerId)
    if (other === undefined) return
    const issuedAtMs = now()
    const entries = keys.map((key) => {
      const provided = this.#provided.get(key)?.describe()
      const running = provided === undefined ? 0 : Math.max(1, provided.workloads.length)
      return { key, version: provided?.version ?? 0, running }
    })
    wire.tell(end, other.at, () => {
      for (const { key, version, running } of entries)
        other.leases().#take(key, self.peerId, { version, running, issuedAtMs })
    })
    this.#interest.drop(
      peerId,
      entries.flatMap(({ key, running }) => (running === 0 ? [key] : []))
    )
  }

  #take(
    key: string,
    from: string,
    { version, running, issuedAtMs }: { version: number; running: number; issuedAtMs: number }
  ): void {
    if (running === 0) this.#cache.deny(key, from, issuedAtMs)
    else if (this.#cache.has(key) && !this.#cache.renew(key, from, { version, running, leaseMs: LEASE_MS }))
      this.#cache.markIncomplete(key)
  }

  #hear(key: string, view: ProviderView): void {
    const { now } = this.#init
    if (this.#cache.has(key)) this.#cache.put(key, view, Math.min(view.leaseUntilMs, now() + LEASE_MS))
  }

  #gossip(hear: (leases: Leases) => void): void {
    const { end, wire, of, neighbours } = this.#init
    for (const { self, peerId, state } of neighbours()) {
      const other = self || state === 'dead' ? undefined : of(peerId)
      if (other !== undefined) wire.tell(end, other.at, () => hear(other.leases()))
    }
  }
}
