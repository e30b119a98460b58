import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import { createClientHost } from '../../src/client/connection/libp2p-host.ts'
import { MAX_ENVELOPE_BYTES, streamChannel } from '../../src/wire/index.ts'
import { createHost, HOST_NETWORK } from '../fixtures/create-hosts.ts'

const PROTOCOL = '/test/silent/1.0.0'

describe('client: an entry node that loses power', () => {
  const stops: (() => unknown)[] = []
  afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())))

  it('is given up on without a word from it, and one that is only slow to answer is not', async () => {
    // given: a node that takes requests and does not answer them, behind a wire that can be cut in silence
    const { libp2p } = await createHost()
    stops.push(() => libp2p.stop())
    await libp2p.handle(PROTOCOL, () => {})
    const [, port] = /tcp\/(\d+)/.exec(libp2p.getMultiaddrs()[0]!.toString())!
    const sockets: Socket[] = []
    const cable = createServer((near) => {
      const far = connect(Number(port), '127.0.0.1')
      near.pipe(far).pipe(near)
      sockets.push(near, far)
      for (const socket of [near, far]) socket.on('error', () => {})
    }).listen(0, '127.0.0.1')
    await once(cable, 'listening')
    stops.push(
      () => cable.close(),
      () => sockets.map((socket) => socket.destroy())
    )
    const client = await createClientHost(HOST_NETWORK, { everyMs: 100, patienceMs: 300 })
    stops.push(() => client.stop())
    const address = `/ip4/127.0.0.1/tcp/${(cable.address() as AddressInfo).port}/p2p/${libp2p.peerId}`
    const connection = await client.dial(address, {})
    const channel = await streamChannel(await connection.newStream(PROTOCOL), MAX_ENVELOPE_BYTES)
    const answer = channel.read({ signal: AbortSignal.timeout(10_000) }).then(
      () => 'answered',
      (error: { code?: string }) => error.code
    )

    // when
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    const whileSlow = connection.status
    for (const socket of sockets) {
      socket.unpipe()
      socket.pause()
    }

    // then
    expect(whileSlow).to.equal('open')
    expect(await answer).to.equal('CONNECTION_LOST')
  })
})
