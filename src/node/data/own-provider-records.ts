import type { Datastore } from 'interface-datastore'
import { recordsOfProvider } from '../../providers/index.ts'

/**
 * Forgets what this node announced in an earlier life. Because kad-dht keeps it and announces it again by itself, also what does not
 * run any more since a crash; what really runs is announced anew.
 */
export async function forgetOwnProviderRecords(datastore: Datastore, peerId: string): Promise<void> {
  const batch = datastore.batch()
  for await (const key of recordsOfProvider(datastore, peerId)) batch.delete(key)
  await batch.commit()
}
