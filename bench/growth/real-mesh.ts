import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { memory } from '@libp2p/memory'
import { MemoryDatastore } from 'datastore-core'
import { createLibp2p } from 'libp2p'
import { withDefaults } from '../../src/config/index.ts'
import { generateSigningKey, openNetwork, toLibp2pPrivateKeyBytes } from '../../src/identity/index.ts'
import { DIAL_CONCURRENCY, MAX_DIALLED } from '../../src/members/constants.ts'
import { hostOptions, hostServices } from '../../src/node/libp2p.ts'
import { PROVIDER_TTL_MS, type ProvidersService, providers } from '../../src/providers/index.ts'
import { createLogger, toComponentLogger } from '../../src/telemetry/index.ts'
import type { MessageCount } from './count.ts'

/** Between two looks whether the mesh has come to rest, and how late this timer is while the loop is at handshakes. Chosen. */
const LOOK_MS = 100
const BUSY_MS = 100
/** No node has met anybody new for this long: the mesh is as it will be. Chosen. */
const SETTLED_MS = 10_000
const SETTLE_DEADLINE_MS = 120_000

export interface RealNode {
  readonly providers: ProvidersService
  readonly connections: () => number
}

export interface RealMesh {
  readonly nodes: readonly RealNode[]
  close(): Promise<void>
}

type Started = Awaited<ReturnType<typeof startNode>>

/**
 * libp2p as {@link hostOptions} makes it, with our providers, on the memory transport in this process. Each node dials as many others
 * as the members service would, {@link MAX_DIALLED}. That service itself is left out, because the probes of a hundred nodes take
 * more than the one core they share, and then it is deadlines that are measured; it sends nothing about a manifest.
 */
export async function openRealMesh(size: number, count: MessageCount): Promise<RealMesh> {
  const started: Started[] = []
  const close = async () => {
    await Promise.allSettled(started.map(({ libp2p }) => libp2p.stop()))
  }
  try {
    while (started.length < size) {
      const node = await startNode(`real-${size}-${started.length}`, count)
      await dialSome(node, started)
      started.push(node)
      await idle() // because a hundred that dial each other at once run into all their deadlines on one event loop
    }
    await settled(started)
    return { nodes: started, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function startNode(name: string, count: MessageCount) {
  const key = generateSigningKey()
  const network = openNetwork('growth')
  const alone = { mdns: false, relay: 'off', autonat: false, holePunching: false, upnp: false } as const
  const config = withDefaults({ network: 'growth', dataDir: tmpdir(), ...alone })
  const libp2p = await createLibp2p({
    ...hostOptions({
      privateKey: privateKeyFromProtobuf(toLibp2pPrivateKeyBytes(key)),
      network,
      datastore: new MemoryDatastore(),
      listen: [`/memory/${name}`],
      config,
      onFound: () => {},
      providerTtlMs: PROVIDER_TTL_MS,
      logger: toComponentLogger(createLogger('silent'), 'silent')
    }),
    transports: [memory()],
    metrics: () => count.metrics(),
    services: {
      ...hostServices({ network, config, providerTtlMs: PROVIDER_TTL_MS }),
      providers: providers({ network, key, gossip: true, nodeName: name })
    }
  })
  libp2p.services.pubsub.addEventListener('gossipsub:message', ({ detail: { msg, msgId } }) =>
    count.onGossip(Buffer.from(msgId, 'base64'), msg.data)
  )
  const connections = () => new Set(libp2p.getPeers().map(String)).size
  return { libp2p, providers: libp2p.services.providers, connections }
}

async function dialSome({ libp2p }: Started, others: readonly Started[]): Promise<void> {
  const chosen = [...others].sort(() => Math.random() - 0.5).slice(0, MAX_DIALLED)
  const work = async () => {
    for (let next = chosen.pop(); next !== undefined; next = chosen.pop())
      if (libp2p.getConnections(next.libp2p.peerId).length === 0)
        await libp2p.dial(next.libp2p.getMultiaddrs())
  }
  await Promise.all(Array.from({ length: DIAL_CONCURRENCY }, work))
}

/** The event loop has time again. */
async function idle(): Promise<void> {
  for (let late = true; late; ) {
    const askedAt = performance.now()
    await sleep(LOOK_MS)
    late = performance.now() - askedAt > LOOK_MS + BUSY_MS
  }
}

/** Nobody has met anybody new for a while. */
async function settled(nodes: readonly RealNode[]): Promise<void> {
  const deadline = performance.now() + SETTLE_DEADLINE_MS
  let [before, sinceMs] = [0, performance.now()]
  while (performance.now() < deadline) {
    await sleep(LOOK_MS)
    const sum = nodes.reduce((total, { connections }) => total + connections(), 0)
    if (sum !== before) [before, sinceMs] = [sum, performance.now()]
    if (performance.now() - sinceMs > SETTLED_MS) return
  }
  throw new Error(`${nodes.length} nodes did not come to rest within ${SETTLE_DEADLINE_MS / 1_000} s`)
}
