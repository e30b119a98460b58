import type { ContentRouting, Logger } from '@libp2p/interface'
import type { AddressManager } from '@libp2p/interface-internal'
import { CID } from 'multiformats/cid'
import { delay, timeoutSignal } from '../../common/index.ts'
import { DHT_COPIES, PROVIDE_BACKOFF_MS, PROVIDE_TIMEOUT_MS, REPROVIDE_QUIET_MS } from '../constants.ts'
import { hasDhtNeighbour, type NeighbourComponents } from '../dht.ts'
import { ProvidersError } from '../errors.ts'

export interface AnnouncerComponents extends NeighbourComponents {
  readonly contentRouting: ContentRouting
  readonly addressManager: AddressManager
}

interface Entry {
  readonly cid: CID
  readonly stop: AbortController
  /** Nodes that took the last announcement; undefined: none has been made yet. */
  takenBy: number | undefined
  trying: boolean
}

/**
 * Keeps this node a Kademlia provider of what it runs. The DHT refreshes records by itself well before their TTL (the node's
 * `reprovide` settings); this repeats announcements that nobody took, and those that few took when there is somebody new.
 */
export class Announcer {
  readonly #components: AnnouncerComponents
  readonly #log: Logger
  readonly #running = new Map<string, Entry>()
  #repeatTimer: NodeJS.Timeout | undefined

  constructor(components: AnnouncerComponents, log: Logger) {
    this.#components = components
    this.#log = log
  }

  /** Once, until it is removed: what is said of it may change, that it runs does not. */
  add(key: string, manifestId: Uint8Array): void {
    if (this.#running.has(key)) return
    const entry: Entry = {
      cid: CID.decode(manifestId),
      stop: new AbortController(),
      takenBy: undefined,
      trying: false
    }
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
    return this.#running.get(key)?.takenBy !== undefined
  }

  /** There is somebody new, or an address: where fewer hold an announcement than should, it is made again. */
  onChange(): void {
    clearTimeout(this.#repeatTimer)
    this.#repeatTimer = setTimeout(() => {
      for (const entry of this.#running.values())
        if ((entry.takenBy ?? 0) < DHT_COPIES) void this.#keepTrying(entry)
    }, REPROVIDE_QUIET_MS)
  }

  stop(): void {
    clearTimeout(this.#repeatTimer)
    for (const { stop } of this.#running.values()) stop.abort()
    this.#running.clear()
  }

  async #keepTrying(entry: Entry): Promise<void> {
    if (entry.trying) return
    entry.trying = true
    let backoffMs: number = PROVIDE_BACKOFF_MS.first
    try {
      while (!entry.stop.signal.aborted) {
        try {
          const takenBy = await this.#provide(entry)
          if (takenBy !== undefined) entry.takenBy = takenBy
          return
        } catch (error) {
          if (entry.stop.signal.aborted) return
          this.#log('announcing %c failed, again in %d ms: %e', entry.cid, backoffMs, error)
          await delay(backoffMs, { signal: entry.stop.signal }).catch(() => {})
          backoffMs = Math.min(backoffMs * 2, PROVIDE_BACKOFF_MS.last)
        }
      }
    } finally {
      entry.trying = false
    }
  }

  /** @returns how many took it, 0 when this node is alone; undefined when others could not reach it yet: {@link onChange} is called later */
  async #provide({ cid, stop }: Entry): Promise<number | undefined> {
    const { addressManager, contentRouting } = this.#components
    if (addressManager.getAddresses().length === 0) return undefined
    if (!(await hasDhtNeighbour(this.#components))) return 0
    let takenBy = 0
    const signal = AbortSignal.any([stop.signal, timeoutSignal(PROVIDE_TIMEOUT_MS)])
    // ADD_PROVIDER has no acknowledgement, and `provide` resolves also when nobody took it: so those that were sent are counted
    const onProgress = ({ type, detail }: { type: string; detail?: { messageName?: string } }) => {
      if (type === 'kad-dht:query:peer-response' && detail?.messageName === 'ADD_PROVIDER') takenBy++
    }
    const options = { signal, onProgress }
    await contentRouting.provide(cid, options)
    if (takenBy === 0) throw new ProvidersError('NOT_ANNOUNCED', 'no node took the announcement')
    return takenBy
  }
}
