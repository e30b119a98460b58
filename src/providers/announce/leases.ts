import type { Logger } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { fromHex, repeat, timeoutSignal, toHex } from '../../common/index.ts'
import { encodeLease, LEASE, type Lease, type LeaseEntryInit } from '../../generated/fbs/index.ts'
import { PEER_PROTOCOLS, type PeerRequests } from '../../wire/index.ts'
import { LEASE_MS, RENEW_MS, TELL_CONCURRENCY, TELL_QUIET_MS } from '../constants.ts'
import type { ProviderCache } from '../search/provider-cache.ts'
import type { ProvidedManifest } from '../types.ts'
import { Interest } from './interest.ts'

export interface LeasesInit {
  readonly wire: PeerRequests
  readonly connectionManager: ConnectionManager
  readonly cache: ProviderCache
  readonly bootId: Uint8Array
  readonly now: () => number
  readonly log: Logger
  /** What this node runs of a manifest now. */
  readonly provided: (key: string) => ProvidedManifest | undefined
}

/**
 * Keeps what others know of this node true: whoever asked lately hears every third of a lease that it still holds, all manifests in one
 * message, and at once when something stopped. And takes in what others say in the same way.
 */
export class Leases {
  readonly #init: LeasesInit
  readonly #interest: Interest
  readonly #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #stop = new AbortController()

  constructor(init: LeasesInit) {
    this.#init = init
    this.#interest = new Interest(init.now)
  }

  async start(): Promise<void> {
    this.#stop = new AbortController()
    await this.#init.wire.handle(PEER_PROTOCOLS.lease, LEASE, 'lease', async (lease, from) =>
      this.#encode(this.#take(lease, from))
    )
    void repeat(RENEW_MS, () => this.#tellAll([...this.#interest.each()]), {
      signal: this.#stop.signal,
      onError: (error) => this.#init.log.error('leases: %e', error)
    })
  }

  /** Tells those who asked that nothing runs here any more, then ends. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    const signal = timeoutSignal(1_000) // because nobody waits long for a node that goes
    await Promise.all([...this.#interest.each()].map(([peer, keys]) => this.#tell(peer, keys, signal)))
    this.#stop.abort()
    await this.#init.wire.unhandle(PEER_PROTOCOLS.lease)
  }

  /** A node asked about a manifest and was told that this one runs it. */
  noteAsked(peerId: string, key: string): void {
    this.#interest.note(peerId, key)
  }

  /** What this node says of a manifest is not what it said before. */
  onChange(key: string): void {
    this.#changed.add(key)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const keys = [...this.#changed]
      this.#changed.clear()
      const told = new Map<string, string[]>()
      for (const one of keys)
        for (const [peer] of this.#interest.each(one)) told.set(peer, [...(told.get(peer) ?? []), one])
      void this.#tellAll([...told])
    }, TELL_QUIET_MS)
  }

  async #tellAll(rounds: [peerId: string, keys: string[]][]): Promise<void> {
    const work = async () => {
      for (let next = rounds.shift(); next !== undefined; next = rounds.shift())
        await this.#tell(next[0], next[1], this.#stop.signal)
    }
    await Promise.all(Array.from({ length: Math.min(TELL_CONCURRENCY, rounds.length) }, work))
  }

  async #tell(peerId: string, keys: readonly string[], signal: AbortSignal): Promise<void> {
    const { wire, connectionManager, log, provided } = this.#init
    const peer = peerIdFromString(peerId)
    // because its view of this node ended with the connection, and it asks again when it wants to know
    if (connectionManager.getConnections(peer).length === 0) return this.#interest.forget(peerId)
    const entries = keys.map((key) => entryOf(key, provided(key)))
    try {
      const answer = { type: 'lease', root: LEASE } as const
      const unwanted = await wire.ask(peer, PEER_PROTOCOLS.lease, this.#encode(entries), answer, { signal })
      this.#interest.drop(peerId, [
        ...unwanted.entries.map(({ manifestId }) => toHex(manifestId)),
        ...entries.flatMap(({ manifestId, running }) => (running === 0 ? [toHex(manifestId)] : []))
      ])
    } catch (error) {
      log('lease for %p: %e', peer, error) // it runs out there, or the next one renews it
    }
  }

  #encode(entries: readonly LeaseEntryInit[]): Uint8Array {
    const { bootId, now } = this.#init
    return encodeLease({ bootId, issuedAt: now(), leaseMs: LEASE_MS, entries: [...entries] })
  }

  /** @returns what is of no interest here */
  #take({ entries, issuedAt, leaseMs, bootId }: Lease, from: string): LeaseEntryInit[] {
    const { cache } = this.#init
    const unwanted: LeaseEntryInit[] = []
    for (const { manifestId, version, running } of entries) {
      const key = toHex(manifestId)
      if (running === 0) cache.deny(key, from, { atMs: issuedAt, bootId })
      else if (!cache.has(key)) unwanted.push({ manifestId, version })
      else if (!cache.renew(key, from, { version, running, leaseMs: Math.min(leaseMs, LEASE_MS) }))
        cache.markIncomplete(key) // it runs another version or other copies than known, so it is asked for its statement
    }
    return unwanted
  }
}

function entryOf(key: string, provided: ProvidedManifest | undefined): LeaseEntryInit & { running: number } {
  const workloads = provided?.workloads ?? []
  return {
    manifestId: fromHex(key),
    version: provided?.version ?? 0,
    running: provided === undefined ? 0 : Math.max(1, workloads.length),
    ready: workloads.filter(({ state }) => state === 'ready').length
  }
}
