import type { PeerId } from '@libp2p/interface'
import { base32 } from 'multiformats/bases/base32'
import type { CID } from 'multiformats/cid'
import { DHT_COPIES } from '../../../src/providers/constants.ts'
import { nearestFirst } from '../../../src/providers/search/nearest.ts'
import type { ProvidersComponents } from '../../../src/providers/types.ts'
import type { End, SimulatedWire } from './wire.ts'

/** What libp2p calls a node that is part of a DHT. */
export const DHT_PROTOCOL = '/kad/1.0.0'

export interface SimulatedDhtInit {
  readonly self: PeerId
  readonly end: End
  readonly wire: SimulatedWire
  /** Keys of provider records that this machine keeps for others; they outlive the process. */
  readonly records: Set<string>
  readonly connected: () => PeerId[]
  readonly of: (peer: PeerId) => { readonly at: number; readonly dht: () => SimulatedDht } | undefined
}

/**
 * Who runs what by Kademlia's provider records: given to the nearest twenty that this node is connected to, and asked of them. Modelled: no
 * routing table, because every node is connected to all it can reach, no TTL and no refresh, because a run takes minutes.
 */
export class SimulatedDht {
  readonly #init: SimulatedDhtInit

  constructor(init: SimulatedDhtInit) {
    this.#init = init
  }

  get components(): Pick<ProvidersComponents, 'contentRouting' | 'datastore' | 'peerStore'> {
    const { records } = this.#init
    const known = {
      contentRouting: {
        provide: (cid: CID, options: ProvideOptions) => this.#provide(cid, options),
        findProviders: (cid: CID, options: { signal: AbortSignal }) => this.#find(cid, options),
        cancelReprovide: async () => {}
      },
      datastore: {
        async *queryKeys({ prefix }: { prefix: string }) {
          for (const key of records) if (key.startsWith(prefix)) yield key
        }
      },
      peerStore: { get: async () => ({ protocols: [DHT_PROTOCOL] }) }
    }
    return known as unknown as ProvidersComponents
  }

  async #provide(cid: CID, { signal, onProgress }: ProvideOptions): Promise<void> {
    const key = `${prefixOf(cid)}${this.#init.self}`
    await Promise.allSettled(
      this.#nearest(cid).map(async (peer) => {
        await this.#ask(peer, 'add provider', signal, (other) => other.#init.records.add(key))
        onProgress({ type: 'kad-dht:query:peer-response', detail: { messageName: 'ADD_PROVIDER' } })
      })
    )
  }

  async *#find(
    cid: CID,
    { signal }: { signal: AbortSignal }
  ): AsyncGenerator<{ id: { toString(): string } }> {
    const prefix = prefixOf(cid)
    const asked = this.#nearest(cid).map((peer) =>
      this.#ask(peer, 'get providers', signal, (other) =>
        [...other.#init.records]
          .filter((key) => key.startsWith(prefix))
          .map((key) => key.slice(prefix.length))
      ).catch(() => [] as string[])
    )
    const named = new Set<string>()
    for (const answer of asked)
      for (const id of await answer) {
        if (!named.has(id)) yield { id }
        named.add(id)
      }
  }

  #nearest(cid: CID): PeerId[] {
    return nearestFirst(cid.bytes, this.#init.connected()).slice(0, DHT_COPIES)
  }

  async #ask<T>(
    peer: PeerId,
    name: string,
    signal: AbortSignal,
    serve: (other: SimulatedDht) => T
  ): Promise<T> {
    const { end, wire, of } = this.#init
    const other = of(peer)
    if (other === undefined) throw new Error('nobody has this key')
    return wire.ask(end, other.at, { name, serve: () => serve(other.dht()), signal })
  }
}

interface ProvideOptions {
  readonly signal: AbortSignal
  readonly onProgress: (event: { type: string; detail: { messageName: string } }) => void
}

/** As kad-dht keys them, see src/providers/dht.ts. */
function prefixOf({ multihash }: CID): string {
  return `/dht/provider/${base32.encode(multihash.bytes).slice(1)}/`
}
