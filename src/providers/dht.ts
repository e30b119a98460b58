import type { PeerStore } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { Datastore, Key } from 'interface-datastore'
import { base32 } from 'multiformats/bases/base32'

export interface NeighbourComponents {
  readonly connectionManager: ConnectionManager
  readonly peerStore: PeerStore
}

/** Whether protocols are those of a node that is part of a DHT: clients and nodes of other networks are not. */
export function speaksDht(protocols: readonly string[]): boolean {
  return protocols.some((protocol) => protocol.includes('/kad/'))
}

/** Whether there is anybody to ask or to tell. Without, a question to the DHT would wait until its deadline. */
export async function hasDhtNeighbour({
  connectionManager,
  peerStore
}: NeighbourComponents): Promise<boolean> {
  for (const { remotePeer } of connectionManager.getConnections()) {
    const { protocols } = await peerStore.get(remotePeer).catch(() => ({ protocols: [] as string[] }))
    if (speaksDht(protocols)) return true
  }
  return false
}

/**
 * Where kad-dht keeps provider records: `/dht/provider/<multihash, base32>/<peer ID>`. Source: kad-dht 16, its toProviderKey. Nobody
 * else knows.
 */
const RECORDS = '/dht/provider'
/** Peer IDs read of one manifest: who floods the records of one gets no more attention than this. Same as providers kept. */
const MAX_RECORDS = 50

/** Whom the records that this node holds for the DHT name. No network; they may be stale. */
export async function heldProviderRecords(datastore: Datastore, manifestId: Uint8Array): Promise<string[]> {
  // an ID is a CIDv1 of four bytes of which two belong to the multihash
  const multihash = base32.encode(manifestId.subarray(2)).slice(1)
  const found: string[] = []
  for await (const key of datastore.queryKeys({ prefix: `${RECORDS}/${multihash}/` })) {
    found.push(key.toString().slice(key.toString().lastIndexOf('/') + 1))
    if (found.length === MAX_RECORDS) break
  }
  return found
}

/** The records of this store that name one provider, whatever it provides. */
export async function* recordsOfProvider(datastore: Datastore, peerId: string): AsyncGenerator<Key> {
  for await (const key of datastore.queryKeys({ prefix: RECORDS }))
    if (key.toString().endsWith(`/${peerId}`)) yield key
}
