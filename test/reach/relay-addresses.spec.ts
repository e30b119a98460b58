import type { Connection, PeerId, Transport } from '@libp2p/interface'
import type { AddressManager, ConnectionManager, TransportManager } from '@libp2p/interface-internal'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { generateSigningKey } from '../../src/identity/index.ts'
import { RelayReservations } from '../../src/reach/relay-reservations.ts'

/** A node with a place at one relay, of which each part says what the test wants. */
function setUp(said: { reservation?: string[]; statement?: string[]; known?: string[]; inbound?: string }) {
  const relay = peerIdFromString(generateSigningKey().peerId)
  const told = new Set<string>()
  const held = new Set<string>()
  const suffix = `/p2p/${relay.toString()}`
  const store = {
    addRelay: async (peer: PeerId) => held.add(peer.toString()),
    hasReservation: (peer: PeerId) => held.has(peer.toString()),
    getReservation: (peer: PeerId) =>
      held.has(peer.toString())
        ? { addrs: (said.reservation ?? []).map((address) => multiaddr(address + suffix).bytes) }
        : undefined
  }
  const inbound =
    said.inbound === undefined ? [] : [{ direction: 'inbound', remoteAddr: multiaddr(said.inbound) }]
  const reservations = new RelayReservations({
    known: (said.known ?? []).map((address) => address + suffix),
    find: (peerId) => ({ peerId, addresses: said.statement ?? [] }),
    transportManager: {
      getTransports: () => [{ reservationStore: store } as unknown as Transport]
    } as unknown as TransportManager,
    connectionManager: {
      getConnections: () => inbound as unknown as Connection[]
    } as unknown as ConnectionManager,
    addressManager: {
      confirmObservedAddr: (address: Multiaddr) => told.add(address.toString()),
      removeObservedAddr: (address: Multiaddr) => told.delete(address.toString())
    } as unknown as AddressManager,
    now: () => 0,
    log: defaultLogger().forComponent('test')
  })
  reservations.start()
  return {
    reservations,
    relay,
    /** Without the relay's peer ID, for reading. */
    told: () => [...told].map((address) => address.replace(`${suffix}/p2p-circuit`, '')),
    async reserve() {
      reservations.add(relay)
      await new Promise(setImmediate)
    }
  }
}

describe('reach: the addresses told of a relay', () => {
  it('are what a person wrote, then what the relay says; two, loopback last', async () => {
    const { told, reserve } = setUp({
      known: ['/dns4/b1.example.org/tcp/4001'],
      reservation: ['/ip4/127.0.0.1/tcp/4001', '/ip4/192.0.2.7/tcp/4001', '/ip4/192.0.2.8/tcp/4001']
    })
    await reserve()
    expect(told()).to.deep.equal(['/dns4/b1.example.org/tcp/4001', '/ip4/192.0.2.7/tcp/4001'])
  })

  it('leave out where the dial of the relay itself came from, and are its statement’s then', async () => {
    const from = '/ip4/192.0.2.7/tcp/51234'
    const { told, reserve } = setUp({
      reservation: [from],
      inbound: from,
      statement: ['/ip4/192.0.2.7/tcp/4001']
    })
    await reserve()
    expect(told()).to.deep.equal(['/ip4/192.0.2.7/tcp/4001'])
  })

  it('leave out what is no address, and ways through other relays', async () => {
    const statement = [
      'nonsense',
      '/ip4/999.1.1.1/tcp/1',
      '',
      '/ip4/192.0.2.9/tcp/1/p2p/x/p2p-circuit',
      '/ip4/192.0.2.7/tcp/1'
    ]
    const { told, reserve } = setUp({ statement })
    await reserve()
    expect(told()).to.deep.equal(['/ip4/192.0.2.7/tcp/1'])
  })

  it('are taken back when the relay is gone', async () => {
    const { told, reserve, reservations, relay } = setUp({ reservation: ['/ip4/192.0.2.7/tcp/4001'] })
    await reserve()
    expect(told()).to.have.length(1)
    reservations.remove(relay)
    expect(told()).to.deep.equal([])
  })
})
