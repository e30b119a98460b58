import { yamux } from '@chainsafe/libp2p-yamux'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { Connection, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { expect } from 'chai'
import { createLibp2p } from 'libp2p'
import { createClientHost } from '../../../src/client/connection/libp2p-host.ts'
import { EXCHANGE, encodeExchange } from '../../../src/generated/fbs/index.ts'
import { networkTag } from '../../../src/identity/index.ts'
import { CreditedWriter } from '../../../src/wire/channel/credit.ts'
import {
  MAX_ENVELOPE_BYTES,
  PEER_PROTOCOLS,
  PeerWire,
  readCredited,
  streamChannel
} from '../../../src/wire/index.ts'
import { createHost, HOST_NETWORK, type Host } from '../../fixtures/create-hosts.ts'
import { until } from '../../fixtures/until.ts'

const PROTOCOL = '/test/bytes/1.0.0'
/** Above libp2p's default of 5 a second from one address, and of 10 that are being upgraded. */
const CLIENTS = 30
/** Above libp2p's default of 15. */
const RESERVATIONS = 18

describe('libp2p traps: connections', () => {
  const stops: (() => Promise<unknown>)[] = []
  afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())))

  const start = async (...init: Parameters<typeof createHost>): Promise<Host> => {
    const host = await createHost(...init)
    stops.push(async () => host.libp2p.stop())
    return host
  }
  const addressOf = ({ libp2p }: Host) => libp2p.getMultiaddrs()[0]!.toString()

  it('thirty clients behind one address connect at the same moment, and all stay connected', async () => {
    // given
    const node = await start()
    await node.libp2p.handle(PROTOCOL, (stream) => stream.close())
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => createClientHost(HOST_NETWORK)))
    stops.push(...clients.map((client) => () => client.stop()))

    // when
    const dials = await Promise.allSettled(clients.map((client) => client.dial(addressOf(node), {})))

    // then: each can ask, because a connection may be refused after the dial was told that it stands
    const asked = await Promise.allSettled(
      dials.map(async (dial) => {
        if (dial.status === 'rejected') throw dial.reason
        await dial.value.newStream(PROTOCOL)
      })
    )
    const failures = asked.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))
    expect(failures).to.deep.equal([])
    expect(node.libp2p.getConnections()).to.have.length(CLIENTS)
  })

  it('two nodes that dial each other at the same moment can ask each other, also when one connection ends', async () => {
    // given
    const hosts = [await start(), await start()] as const
    const answer = { type: 'memberExchange', root: EXCHANGE } as const
    const wires = hosts.map(
      ({ key, components: { registrar, connectionManager } }) =>
        new PeerWire({ key, network: HOST_NETWORK, registrar, connectionManager })
    )
    const list = encodeExchange({})
    for (const wire of wires)
      await wire.handle(PEER_PROTOCOLS.exchange, EXCHANGE, answer.type, async () => list)
    const askBoth = () =>
      Promise.all(
        wires.map((wire, index) =>
          wire.ask(hosts[1 - index]!.libp2p.peerId, PEER_PROTOCOLS.exchange, list, answer)
        )
      )

    const connections = () => hosts.map(({ libp2p }) => libp2p.getConnections().length)

    // when
    const [there, back] = await Promise.all(
      hosts.map(({ libp2p }, index) => libp2p.dial(hosts[1 - index]!.libp2p.getMultiaddrs()))
    )

    // then
    await until('until both have both', () => connections().every((count) => count === 2) || undefined)
    expect(await askBoth()).to.have.length(2)
    await there!.close()
    await until('until both have noticed', () => connections().every((count) => count === 1) || undefined)
    expect(await askBoth()).to.have.length(2)
    await back!.close()
    await until('until both have noticed', () => connections().every((count) => count === 0) || undefined)
    expect(await askBoth(), 'dialled again').to.have.length(2)
  })

  describe('through a relay of ours', () => {
    /** A node that can be reached through the relay; the relay transport itself, without our own choice of relays. */
    const reserve = async (relay: Host) => {
      const libp2p = await createLibp2p({
        addresses: { listen: [`${addressOf(relay)}/p2p-circuit`] },
        transports: [tcp(), circuitRelayTransport()],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
        services: { identify: identify({ protocolPrefix: `beemesh/${networkTag(HOST_NETWORK)}` }) }
      })
      stops.push(async () => libp2p.stop())
      return libp2p
    }

    it('a connection is not limited, and 2 MiB come through, where libp2p ends it at 128 KiB and after 2 minutes', async () => {
      // given
      const relay = await start({ role: 'bootstrap' })
      const target = await reserve(relay)
      await until('until it has a place', () => target.getMultiaddrs()[0])
      const frames = 16
      await target.handle(PROTOCOL, async (stream: Stream) => {
        const channel = await streamChannel(stream, MAX_ENVELOPE_BYTES)
        const writer = new CreditedWriter(channel)
        for (let index = 0; index < frames; index++) await writer.write(new Uint8Array(128 * 1024))
        await channel.close()
      })

      // when
      const client = await createClientHost(HOST_NETWORK)
      stops.push(() => client.stop())
      const connection: Connection = await client.dial(target.getMultiaddrs()[0]!.toString(), {})

      // then
      expect(connection).to.include({ direct: false, limits: undefined })
      let bytes = 0
      const channel = await streamChannel(await connection.newStream(PROTOCOL), MAX_ENVELOPE_BYTES)
      for await (const frame of readCredited(channel)) bytes += frame.byteLength
      expect(bytes).to.equal(2 * 1024 * 1024)
    })

    it('more nodes find a place than the 15 of libp2p', async () => {
      const relay = await start({ role: 'bootstrap' })
      const nodes = await Promise.all(Array.from({ length: RESERVATIONS }, () => reserve(relay)))
      await until('until all have a place', () => {
        const placed = nodes.filter((node) => node.getMultiaddrs().length > 0)
        return placed.length === RESERVATIONS || undefined
      })
    })
  })
})
