import type { Connection, PeerStore, Startable, Stream } from '@libp2p/interface'
import { serviceCapabilities } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { toError } from '../../common/index.ts'
import { type Network, networkTag, peerIdFromPublicKey, type SigningKey } from '../../identity/index.ts'
import { type FrameChannel, streamChannel } from '../channel/frame-channel.ts'
import {
  FORWARD_PROTOCOL_NAME,
  INBOUND_SLACK,
  MAX_ENVELOPE_BYTES,
  MAX_FORWARD_BYTES,
  MAX_STREAMS,
  type Protocol,
  protocolId
} from '../protocols.ts'
import type { Doors } from './doors.ts'
import { Forwarder } from './forward.ts'

export interface DoorsServiceInit {
  readonly doors: Doors
  readonly key: SigningKey
  readonly network: Network
}

export interface DoorsComponents {
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly peerStore: PeerStore
}

/** What the node's local socket needs of it. */
export interface DoorsService extends Startable {
  /** Serves one request that came in some other way than a libp2p stream. */
  serveLocal(channel: FrameChannel, protocol: string): Promise<void>
}

/** Puts the doors on libp2p: one handler a protocol, and the forwarding of envelopes for other nodes. */
export function doorsService(init: DoorsServiceInit): (components: DoorsComponents) => DoorsService {
  return (components) => new Libp2pDoors(components, init)
}

class Libp2pDoors implements DoorsService {
  readonly [Symbol.toStringTag] = '@beemesh/doors'
  readonly [serviceCapabilities]: string[] = ['@beemesh/doors']
  readonly #components: DoorsComponents
  readonly #init: DoorsServiceInit
  readonly #forwarder: Forwarder
  #registered: string[] = []

  constructor(components: DoorsComponents, init: DoorsServiceInit) {
    this.#components = components
    this.#init = init
    this.#forwarder = new Forwarder({
      key: init.key,
      networkId: init.network.id,
      doors: init.doors,
      openStream: (target, options) => this.#openStream(target, options)
    })
  }

  async start(): Promise<void> {
    const { doors } = this.#init
    for (const { name, maxStreams, relayed, maxRequestBytes } of doors.protocols())
      await this.#handle(name, { maxStreams, relayed, maxBytes: maxRequestBytes }, (channel, from) =>
        doors.serve(channel, name, from)
      )
    await this.#handle(
      FORWARD_PROTOCOL_NAME,
      { maxStreams: MAX_STREAMS, relayed: true, maxBytes: MAX_FORWARD_BYTES },
      (channel, from) => this.#forwarder.serve(channel, from)
    )
  }

  async stop(): Promise<void> {
    this.#init.doors.close()
    await Promise.all(this.#registered.map((id) => this.#components.registrar.unhandle(id)))
    this.#registered = []
  }

  async serveLocal(channel: FrameChannel, protocol: string): Promise<void> {
    if (protocol === FORWARD_PROTOCOL_NAME) await this.#forwarder.serve(channel, 'local')
    else await this.#init.doors.serve(channel, protocol, 'local')
  }

  async #handle(
    name: string,
    limits: { maxStreams: number; relayed: boolean; maxBytes: number },
    serve: (channel: FrameChannel, from: string) => Promise<void>
  ): Promise<void> {
    const id = protocolId(networkTag(this.#init.network), name)
    const handler = async (stream: Stream, connection: Connection) => {
      const channel = await streamChannel(stream, limits.maxBytes)
      await serve(channel, connection.remotePeer.toString()).catch((error) => channel.abort(toError(error)))
    }
    await this.#components.registrar.handle(id, handler, {
      maxInboundStreams: limits.maxStreams * INBOUND_SLACK,
      maxOutboundStreams: limits.maxStreams,
      runOnLimitedConnection: limits.relayed
    })
    this.#registered.push(id)
  }

  async #openStream(
    target: Uint8Array,
    { protocol, addresses, signal }: { protocol: Protocol; addresses: readonly string[]; signal: AbortSignal }
  ): Promise<FrameChannel> {
    const peer = peerIdFromString(peerIdFromPublicKey(target))
    const { connectionManager, peerStore } = this.#components
    if (addresses.length > 0 && connectionManager.getConnections(peer).length === 0)
      await peerStore.merge(peer, { multiaddrs: addresses.map((address) => multiaddr(address)) }, { signal })
    const stream = await connectionManager.openStream(
      peer,
      protocolId(networkTag(this.#init.network), protocol.name),
      {
        signal,
        runOnLimitedConnection: protocol.relayed,
        maxOutboundStreams: protocol.maxStreams
      }
    )
    return streamChannel(stream, MAX_ENVELOPE_BYTES)
  }
}
