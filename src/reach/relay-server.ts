import {
  type CircuitRelayServerComponents,
  type CircuitRelayService,
  circuitRelayServer
} from '@libp2p/circuit-relay-v2'
import type { Libp2pEvents, PeerId, Startable } from '@libp2p/interface'
import type { TypedEventTarget } from 'main-event'
import { MAX_RELAYED_STREAMS } from './constants.ts'

export interface RelayServerInit {
  /** Nodes a place is kept for at once; others are refused and ask again. */
  readonly maxReservations: number
}

export type RelayServerComponents = CircuitRelayServerComponents & {
  readonly events: TypedEventTarget<Libp2pEvents>
}

/**
 * A relay for this network. Without limits on bytes and time: libp2p's own (128 KiB, 2 min) end the second apply, and on a
 * limited connection the DHT does not run and each request dials anew. Bounded by places, and by streams of each node.
 */
export function relayServer({ maxReservations }: RelayServerInit) {
  return (
    components: RelayServerComponents
  ): Startable & { readonly reservations: CircuitRelayService['reservations'] } => {
    const server = circuitRelayServer({
      reservations: { maxReservations, applyDefaultLimit: false },
      maxInboundHopStreams: MAX_RELAYED_STREAMS,
      maxOutboundStopStreams: MAX_RELAYED_STREAMS
    })(components) as CircuitRelayService & Startable
    // because libp2p keeps the place of a node that is gone for two hours, and a full relay then refuses those that are there
    const free = ({ detail: peer }: CustomEvent<PeerId>): void => {
      server.reservations.get(peer)?.signal.clear() // else it would end the next reservation of the same node
      server.reservations.delete(peer)
    }
    return {
      get reservations() {
        return server.reservations
      },
      async start() {
        components.events.addEventListener('peer:disconnect', free)
        await server.start()
      },
      async stop() {
        components.events.removeEventListener('peer:disconnect', free)
        for (const { signal } of server.reservations.values()) signal.clear()
        await server.stop()
      }
    }
  }
}
