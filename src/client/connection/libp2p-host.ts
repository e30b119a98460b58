import { yamux } from '@chainsafe/libp2p-yamux'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { Connection } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { type Abortable, withDeadline } from '../../common/index.ts'
import { type Network, networkTag } from '../../identity/index.ts'
import { pnetKey } from './pnet-key.ts'

/** To connect. Chosen; with the key of another network both sides may wait for bytes that never come, else for 10 s. */
const DIAL_TIMEOUT_MS = 5_000

/**
 * A node that loses power says nothing: it is asked for a sign of life this often, and given up on when none comes for so long, ms. Chosen:
 * soon enough for a person who waits, and patient with a node that starts something large on a small machine.
 */
const KEEP_ALIVE = { everyMs: 2_500, patienceMs: 5_000 } as const

export interface ClientHost {
  dial(address: string, options: Abortable): Promise<Connection>
  stop(): Promise<void>
}

/** The least libp2p that can speak to one node: no DHT, no gossip, no listening. */
export async function createClientHost(
  network: Network,
  { everyMs, patienceMs }: { readonly everyMs: number; readonly patienceMs: number } = KEEP_ALIVE
): Promise<ClientHost> {
  const node = await createLibp2p({
    transports: [tcp(), circuitRelayTransport()], // an address may lead through a relay
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify({ protocolPrefix: `beemesh/${networkTag(network)}` }) }, // the relay transport asks for it
    connectionMonitor: {
      pingInterval: everyMs,
      pingTimeout: { minTimeout: patienceMs, maxTimeout: patienceMs }
    },
    ...(network.open ? {} : { connectionProtector: preSharedKey({ psk: pnetKey(network) }) }),
    logger: { forComponent: () => silent }
  })
  return {
    dial: (address, { signal }) =>
      node.dial(multiaddr(address), { signal: withDeadline(DIAL_TIMEOUT_MS, signal) }),
    stop: async () => {
      await node.stop()
    }
  }
}

const silent = Object.assign(() => {}, {
  error: () => {},
  trace: () => {},
  enabled: false,
  newScope: () => silent
})
