import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identify } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { expect } from 'chai'
import { Key } from 'interface-datastore'
import { createLibp2p } from 'libp2p'
import { CID } from 'multiformats/cid'
import { forgetOwnProviderRecords } from '../../src/node/data/own-provider-records.ts'
import { heldProviderRecords } from '../../src/providers/dht.ts'
import { openStore } from '../../src/store/index.ts'

describe('node: what it announced in an earlier life', () => {
  it('is forgotten, and what others announced is not', async () => {
    const path = await mkdtemp(join(tmpdir(), 'bmp-'))
    const store = await openStore(path)
    const services = {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({ protocol: '/test/kad/1.0.0', clientMode: false, peerInfoMapper: passthroughMapper })
    }
    const node = await createLibp2p({ datastore: store.libp2p, transports: [tcp()], services })
    try {
      const bytes = new Uint8Array(36).fill(7)
      bytes.set([0x01, 0x55, 0x12, 0x20])
      // alone it waits for neighbours, but its own record is written first
      const provided = node.contentRouting.provide(CID.decode(bytes), { signal: AbortSignal.timeout(300) })
      await provided.catch(() => {})
      const keys = async () => {
        const all: string[] = []
        for await (const key of store.libp2p.queryKeys({ prefix: '/dht/provider' })) all.push(key.toString())
        return all
      }
      const [own] = await keys()
      expect(own, 'where kad-dht keeps it has changed').to.match(
        new RegExp(`^/dht/provider/[^/]+/${node.peerId}$`)
      )
      expect(await heldProviderRecords(store.libp2p, bytes)).to.deep.equal([node.peerId.toString()])
      const other = own!.replace(
        node.peerId.toString(),
        '12D3KooWGRUpcHnyWtMTTNDAnwTLZKGJv4yqKHCMvkmVW5SEJ4Xq'
      )
      await store.libp2p.put(new Key(other), new Uint8Array([1]))
      await forgetOwnProviderRecords(store.libp2p, node.peerId.toString())
      expect(await keys()).to.deep.equal([other])
    } finally {
      await node.stop()
      await store.close()
      await rm(path, { recursive: true, force: true })
    }
  })
})
