import { yamux } from '@chainsafe/libp2p-yamux'
import { autoNAT } from '@libp2p/autonat'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { dcutr } from '@libp2p/dcutr'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { ComponentLogger, ConnectionGater, PrivateKey } from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { uPnPNAT } from '@libp2p/upnp-nat'
import type { Datastore } from 'interface-datastore'
import type { Libp2pOptions } from 'libp2p'
import { pnetKey } from '../client/index.ts'
import type { Config } from '../config/index.ts'
import { type Network, networkTag } from '../identity/index.ts'
import { relayServer, type Whereabouts } from '../reach/index.ts'

/** Connections a second from one address: twenty nodes behind one NAT may come at once. libp2p's own default is 5. */
const INBOUND_CONNECTIONS_PER_SECOND = 100
/** Connections that are being upgraded. libp2p's own default is 10. */
const MAX_PENDING_INBOUND = 100
const MAX_CONNECTIONS = 500
/**
 * Streams that come before libp2p has taken note of the connection. Its own default is 10, and with the 11th request of a burst it
 * breaks the connection. Source: as many as yamux takes anyway.
 */
const MAX_EARLY_STREAMS = 1_000
/** One address of a node. libp2p's own default is 6 s, so that two silent addresses take all the time that a request has. */
const ADDRESS_DIAL_TIMEOUT_MS = 2_000
const HOUR_MS = 3_600_000
/** Buckets of the DHT's table: 2^10 x 20 peers. Source: facts on membership, the default holds 1,280. */
export const KAD_PREFIX_LENGTH = 10
/** Requests of one path of a walk at a time, and paths that share nobody. Chosen by simulation (docs/BENCHMARKS.md): kad-dht's own 10 and 10 ask twice as many. */
export const KAD_ALPHA = 3
export const KAD_PATHS = 2
/** One DHT request. Source: facts: the default waits 5-7 s on a frozen node, 0.5 s loses busy ones. */
const KAD_TIMEOUT_MS = { minTimeout: 1_500, maxTimeout: 3_000 }

export interface HostInit {
  readonly privateKey: PrivateKey
  readonly network: Network
  readonly datastore: Datastore
  /** Keeps those out who were sent away. */
  readonly gater?: ConnectionGater
  readonly metrics?: Libp2pOptions['metrics']
  readonly listen: readonly string[]
  readonly config: Config
  /** mDNS found a node of this network. */
  readonly onFound: (node: Whereabouts) => void
  readonly providerTtlMs: number
  readonly logger: ComponentLogger
}

/** libp2p as every node of ours has it; the traps each line avoids are in docs/DEPENDENCIES.md. */
export function hostOptions(init: HostInit): Libp2pOptions {
  const { privateKey, network, datastore, gater, metrics, listen, config, onFound, logger } = init
  return {
    privateKey,
    datastore,
    logger,
    ...(gater === undefined ? {} : { connectionGater: gater }),
    ...(metrics === undefined ? {} : { metrics }),
    addresses: { listen: [...listen], appendAnnounce: [...config.announceAddresses] },
    transports: [tcp(), circuitRelayTransport()], // the second on all, because others may be reached through relays only
    ...(config.mdns ? { peerDiscovery: [lanDiscovery(network, onFound)] } : {}),
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxEarlyStreams: MAX_EARLY_STREAMS })],
    ...(network.open ? {} : { connectionProtector: preSharedKey({ psk: pnetKey(network) }) }),
    connectionManager: {
      inboundConnectionThreshold: INBOUND_CONNECTIONS_PER_SECOND,
      maxIncomingPendingConnections: MAX_PENDING_INBOUND,
      maxConnections: MAX_CONNECTIONS,
      addressDialTimeout: ADDRESS_DIAL_TIMEOUT_MS
    },
    peerStore: peerStoreAges(init.providerTtlMs)
  }
}

/** How often providers whose time is up are forgotten: until then they are named, as kad-dht asks for their time only then. */
function sweepIntervalMs(providerTtlMs: number): number {
  return Math.max(1_000, providerTtlMs / 12)
}

/** As long as a provider may be named, because its peer ID without an address makes it unreachable, though it lives. */
function peerStoreAges(providerTtlMs: number) {
  const namedMs = providerTtlMs + sweepIntervalMs(providerTtlMs)
  return { maxAddressAge: Math.max(24 * HOUR_MS, namedMs), maxPeerAge: Math.max(48 * HOUR_MS, namedMs) }
}

/** The LAN, under a name that carries the network's tag, so that two networks do not find each other. */
function lanDiscovery(network: Network, onFound: HostInit['onFound']) {
  return (components: Parameters<ReturnType<typeof mdns>>[0]) => {
    const discovery = mdns({ serviceTag: `_bm-${networkTag(network)}._udp.local` })(components)
    discovery.addEventListener('peer', ({ detail: { id, multiaddrs } }) => {
      const addresses = multiaddrs.map((address) => address.toString().replace(/\/p2p\/[^/]+$/, ''))
      if (addresses.length > 0) onFound({ peerId: id.toString(), addresses })
    })
    return discovery
  }
}

/** The services of libp2p's own that ours need, each under the name ours expect. */
export function hostServices({
  network,
  providerTtlMs,
  config
}: Pick<HostInit, 'network' | 'providerTtlMs' | 'config'>) {
  const prefix = `beemesh/${networkTag(network)}` // so that two networks do not even identify each other
  return {
    identify: identify({ protocolPrefix: prefix }),
    ping: ping({ protocolPrefix: prefix }),
    dht: kadDHT({
      protocol: `/${prefix}/kad/1.0.0`,
      clientMode: false,
      peerInfoMapper: passthroughMapper,
      initialQuerySelfInterval: 10,
      prefixLength: KAD_PREFIX_LENGTH,
      alpha: KAD_ALPHA,
      disjointPaths: KAD_PATHS,
      networkDialTimeout: KAD_TIMEOUT_MS,
      reprovide: {
        validity: providerTtlMs,
        interval: sweepIntervalMs(providerTtlMs),
        threshold: providerTtlMs / 2
      }
    }),
    pubsub: gossipsub({
      allowPublishToZeroTopicPeers: true,
      floodPublish: true,
      runOnLimitedConnection: true,
      scoreParams: { IPColocationFactorWeight: 0 } // because many nodes share one address at home and behind NAT
    }),
    ...(config.relay === 'serve'
      ? { relay: relayServer({ maxReservations: config.relayReservations }) }
      : {}),
    ...(config.autonat ? { autonat: autoNAT({ protocolPrefix: prefix }) } : {}),
    ...(config.holePunching ? { dcutr: dcutr() } : {}),
    // what the router says is only believed without a second opinion when there is nobody to ask for one
    ...(config.upnp ? { upnp: uPnPNAT({ autoConfirmAddress: !config.autonat }) } : {})
  }
}
