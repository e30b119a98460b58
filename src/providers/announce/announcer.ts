import type { ContentRouting, Logger } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { CID } from 'multiformats/cid'
import { delay } from '../../common/index.ts'
import { PROVIDE_BACKOFF_MS, PROVIDE_TIMEOUT_MS, REPROVIDE_QUIET_MS } from '../constants.ts'

export interface AnnouncerComponents {
  readonly contentRouting: ContentRouting
  readonly connectionManager: ConnectionManager
}

/**
 * Keeps this node a Kademlia provider of what it runs. The DHT refreshes records by itself well before their TTL (the
 * node's `reprovide` settings); this repeats announcements that failed and those made before a new neighbour came.
 */
export class Announcer {
  readonly #components: AnnouncerComponents
  readonly #log: Logger
  readonly #running = new Map<string, { cid: CID; stop: AbortController; announced: boolean }>()
  #repeatTimer: NodeJS.Timeout | undefined

  constructor(components: AnnouncerComponents, log: Logger) {
    this.#components = components
    this.#log = log
  }

  /** Begins, or begins anew. */
  add(key: string, manifestId: Uint8Array): void {
    this.#running.get(key)?.stop.abort()
    const entry = { cid: CID.decode(manifestId), stop: new AbortController(), announced: false }
    this.#running.set(key, entry)
    void this.#keepTrying(entry)
  }

  remove(key: string): void {
    const entry = this.#running.get(key)
    if (entry === undefined) return
    this.#running.delete(key)
    entry.stop.abort()
    this.#components.contentRouting
      .cancelReprovide(entry.cid)
      .catch((error) => this.#log('cancel %c: %e', entry.cid, error))
  }

  has(key: string): boolean {
    return this.#running.get(key)?.announced ?? false
  }

  /** A neighbour came: it, and whoever it knows, must hear of what was announced before. */
  onNeighbour(): void {
    clearTimeout(this.#repeatTimer)
    this.#repeatTimer = setTimeout(() => {
      for (const entry of this.#running.values()) void this.#keepTrying(entry)
    }, REPROVIDE_QUIET_MS)
  }

  stop(): void {
    clearTimeout(this.#repeatTimer)
    for (const { stop } of this.#running.values()) stop.abort()
    this.#running.clear()
  }

  async #keepTrying(entry: { cid: CID; stop: AbortController; announced: boolean }): Promise<void> {
    let backoffMs: number = PROVIDE_BACKOFF_MS.first
    while (!entry.stop.signal.aborted) {
      // because a lone node's provide waits for a neighbour until its deadline; onNeighbour() calls again when one comes
      if (this.#components.connectionManager.getConnections().length === 0) {
        entry.announced = true
        return
      }
      try {
        const signal = AbortSignal.any([entry.stop.signal, AbortSignal.timeout(PROVIDE_TIMEOUT_MS)])
        await this.#components.contentRouting.provide(entry.cid, { signal })
        entry.announced = true
        return
      } catch (error) {
        if (entry.stop.signal.aborted) return
        this.#log('announcing %c failed, again in %d ms: %e', entry.cid, backoffMs, error)
        await delay(backoffMs, { signal: entry.stop.signal }).catch(() => {})
        backoffMs = Math.min(backoffMs * 2, PROVIDE_BACKOFF_MS.last)
      }
    }
  }
}
