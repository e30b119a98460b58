import type { Datastore } from 'interface-datastore'

/** Where kad-dht keeps what it knows of providers: `/dht/provider/<multihash>/<peer ID>`. Source: facts on libp2p, version 16. */
const PREFIX = '/dht/provider'

/**
 * Forgets what this node announced in an earlier life. Because kad-dht keeps it and announces it again by itself, also what does not
 * run any more since a crash; what really runs is announced anew.
 */
export async function forgetOwnProviderRecords(datastore: Datastore, peerId: string): Promise<void> {
  const batch = datastore.batch()
  for await (const key of datastore.queryKeys({ prefix: PREFIX }))
    if (key.toString().endsWith(`/${peerId}`)) batch.delete(key)
  await batch.commit()
}
