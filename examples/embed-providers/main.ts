import { createHash } from 'node:crypto'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { openNetwork, providers } from 'beemesh'
import { createLibp2p } from 'libp2p'

const network = openNetwork('example-embed')
const createPeer = (nodeName: string) =>
  createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      ping: ping(),
      // server mode and private addresses kept: without both, a DHT at home stays empty
      dht: kadDHT({ protocol: '/example/kad/1.0.0', clientMode: false, peerInfoMapper: passthroughMapper }),
      providers: providers({ network, nodeName })
    }
  })
const library = await createPeer('library')
const reader = await createPeer('reader')
await reader.dial(library.getMultiaddrs())

// A manifest ID is a CIDv1 (raw, sha2-256): 01 55 12 20 and 32 bytes.
const digest = createHash('sha256').update('a book').digest()
const manifestId = new Uint8Array([0x01, 0x55, 0x12, 0x20, ...digest])
library.services.providers.announce(manifestId, () => ({ version: 1, workloads: [] }))
for (const { nodeName, peerId } of await reader.services.providers.find(manifestId))
  console.log(`found provider ${nodeName} (${peerId})`)

library.services.providers.withdraw(manifestId)
// fresh: asked anew, because a lease may vouch for it a moment longer
const left = await reader.services.providers.find(manifestId, { fresh: true })
console.log(left.length === 0 ? 'nobody after withdraw' : 'still there')

await reader.stop()
await library.stop()
