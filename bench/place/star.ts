import { yamux } from '@chainsafe/libp2p-yamux'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import type { Libp2p } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { defaultLogger } from '@libp2p/logger'
import { memory } from '@libp2p/memory'
import { noise } from '@libp2p/noise'
import { createLibp2p } from 'libp2p'
import { delay } from '../../src/common/index.ts'
import { BID_REQUEST, encodeBidList } from '../../src/generated/fbs/index.ts'
import {
  generateSigningKey,
  openNetwork,
  type SigningKey,
  toLibp2pPrivateKeyBytes
} from '../../src/identity/index.ts'
import { asksOver } from '../../src/scheduler/asks.ts'
import { makeBid } from '../../src/scheduler/bids/bid.ts'
import type { Neighbour, World } from '../../src/scheduler/types.ts'
import { generateSealingKey } from '../../src/sealing/index.ts'
import { memoryStore } from '../../src/store/index.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import { PEER_PROTOCOLS, PeerWire } from '../../src/wire/index.ts'

const NETWORK = openNetwork('place')
/** A machine with 8 cores and 16 GiB, of which others take a part. */
const WHOLE = { cpuMillis: 8_000, memoryBytes: 16 * 2 ** 30, storageBytes: 2 ** 37, pods: 200 }

export interface Star {
  /** The world as the node in the middle sees it. */
  readonly world: World
  close(): Promise<void>
}

/**
 * One node that all others are connected to, on the memory transport in this process: real streams, Noise, signed envelopes, and the
 * scheduler's own answers; without probes, gossip and a DHT, which a hundred nodes cannot do on one core.
 */
export async function openStar(size: number): Promise<Star> {
  const keys = Array.from({ length: size }, () => generateSigningKey())
  const sealing = await generateSealingKey({ epoch: 1 })
  const neighbours = keys.map((key, index) => toNeighbour(key, index, sealing.publicKey))
  const started: Libp2p[] = []
  const worlds: World[] = []
  for (const [index, key] of keys.entries()) {
    const libp2p = await startNode(key, `place-${size}-${index}`)
    started.push(libp2p)
    const { components } = libp2p as unknown as {
      components: { registrar: Registrar; connectionManager: ConnectionManager }
    }
    const { registrar, connectionManager } = components // one by one, because it is a proxy
    const wire = new PeerWire({ key, network: NETWORK, registrar, connectionManager })
    const share = 0.2 + (0.8 * ((index * 7) % 10)) / 10
    const free = Object.fromEntries(Object.entries(WHOLE).map(([name, amount]) => [name, amount * share]))
    worlds.push({
      key,
      networkId: NETWORK.id,
      nodeName: `n${index}`,
      store: memoryStore(),
      log: defaultLogger().forComponent('bench'),
      trust: () => ownersOnly(new Set()),
      sealingKey: () => sealing,
      load: () => 0.2,
      startedAtMs: Date.now(),
      now: Date.now,
      random: Math.random,
      delay: (ms, options) => delay(ms, options),
      neighbours: () => neighbours.map((one, at) => ({ ...one, self: at === index })),
      isMember: () => true,
      asks: asksOver(wire, { self: key.peerId, assign: async () => ({}) }),
      leased: () => [],
      find: async () => [],
      workloads: {
        get: () => undefined,
        resources: () => ({ free, allocatable: WHOLE })
      } as unknown as World['workloads']
    })
    await wire.handle(PEER_PROTOCOLS.bid, BID_REQUEST, 'bidList', async (request) => {
      const bid = makeBid(worlds[index]!, request)
      return encodeBidList({ bids: bid === undefined ? [] : [{ bid }], asked: 1, members: 1 })
    })
  }
  for (const other of started.slice(1)) await started[0]!.dial(other.getMultiaddrs())
  return {
    world: worlds[0]!,
    close: async () => {
      await Promise.allSettled(started.map((node) => node.stop()))
    }
  }
}

function startNode(key: SigningKey, name: string): Promise<Libp2p> {
  return createLibp2p({
    privateKey: privateKeyFromProtobuf(toLibp2pPrivateKeyBytes(key)),
    addresses: { listen: [`/memory/${name}`] },
    transports: [memory()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()]
  })
}

function toNeighbour(key: SigningKey, index: number, sealingKey: Uint8Array): Neighbour {
  return {
    peerId: key.peerId,
    publicKey: key.publicKey,
    name: `n${index}`,
    self: false,
    state: 'alive',
    scheduling: true,
    labels: { zone: `z${index % 3}` },
    engines: ['mock'],
    sealingKey,
    sealingEpoch: 1,
    bootId: new Uint8Array(16)
  }
}
