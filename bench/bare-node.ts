/**
 * libp2p exactly as a node of ours has it, without our services: what {@link file://./idle.ts} compares with. As a command it is one
 * node in a process of its own: `node bench/bare-node.ts BOOTSTRAP`, until SIGTERM.
 */
import { tmpdir } from 'node:os'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { MemoryDatastore } from 'datastore-core'
import { createLibp2p } from 'libp2p'
import { withDefaults } from '../src/config/index.ts'
import { openNetwork } from '../src/identity/index.ts'
import { hostOptions, hostServices } from '../src/node/libp2p.ts'
import { createLogger, toComponentLogger } from '../src/telemetry/index.ts'

export async function bareNode(bootstrap?: string, name = 'bare') {
  const network = openNetwork(name)
  const config = withDefaults({ network: 'bare', dataDir: tmpdir() })
  const logger = toComponentLogger(createLogger('silent'), 'silent')
  const node = await createLibp2p({
    ...hostOptions({
      privateKey: await generateKeyPair('Ed25519'),
      network,
      datastore: new MemoryDatastore(),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      config,
      onFound: () => {},
      providerTtlMs: 3_600_000,
      logger
    }),
    services: hostServices({ network, config, providerTtlMs: 3_600_000 })
  })
  node.services.pubsub.subscribe('bare')
  if (bootstrap !== undefined) await node.dial(multiaddr(bootstrap))
  return node
}

if (import.meta.main) {
  await bareNode(process.argv[2])
  console.log('ready')
}
