import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { localConnection } from '../../src/client/index.ts'
import { generateSigningKey } from '../../src/identity/index.ts'
import { CreditedWriter } from '../../src/wire/channel/credit.ts'
import { LocalSocket, readCredited } from '../../src/wire/index.ts'

const FRAMES = 20

describe('client: the local socket', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'bmc-'))
  })
  afterEach(() => rm(dir, { recursive: true }))

  it('gives every frame to a reader that is slower than the node, which has closed long before', async () => {
    // given
    const path = join(dir, 'node.sock')
    const closed = Promise.withResolvers<void>()
    const server = new LocalSocket(path, async (channel) => {
      const writer = new CreditedWriter(channel)
      for (let n = 0; n < FRAMES; n++) await writer.write(Uint8Array.of(n, n))
      await channel.close()
      closed.resolve()
    })
    await server.start()
    const { peerId } = generateSigningKey()
    const network = { name: 'test', id: '00'.repeat(32), open: true }
    const node = { peerId, name: 'n', pid: process.pid, socket: path, network, addresses: [], owners: [] }

    // when
    const seen: number[] = []
    const channel = await localConnection(node).open('test', {})
    for await (const frame of readCredited(channel)) {
      seen.push(frame[0]!)
      if (seen.length === FRAMES - 4) await closed.promise // the rest is read after the node has said that it is done
      if (seen.length > FRAMES - 4) await new Promise((resolve) => setTimeout(resolve, 20))
    }

    // then
    expect(seen).to.deep.equal(Array.from({ length: FRAMES }, (_, n) => n))
    channel.abort(new Error('done'))
    await server.stop()
  })
})
