import type { PeerStore } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'

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
