import { connect } from 'node:net'
import { type Abortable, raceSignal, toError } from '../../common/index.ts'
import { type Network, networkTag, publicKeyFromPeerId } from '../../identity/index.ts'
import {
  type FrameChannel,
  localGreeting,
  MAX_ENVELOPE_BYTES,
  MAX_STREAMS,
  openError,
  protocolId,
  socketChannel,
  streamChannel,
  WireError
} from '../../wire/index.ts'
import { ClientError } from '../errors.ts'
import type { LocalNode } from './local-nodes.ts'

/** The way to the entry node. */
export interface NodeConnection {
  /** Uint8Array(32): the entry node's public key. */
  readonly entry: Uint8Array
  readonly networkId: Uint8Array
  /** A channel for one request. @throws WireError NODE_UNREACHABLE */
  open(protocol: string, options: Abortable): Promise<FrameChannel>
  close(): Promise<void>
}

/** Through the Unix socket of a node on this machine; loads no libp2p. */
export function localConnection(node: LocalNode): NodeConnection {
  return {
    entry: publicKeyFromPeerId(node.peerId),
    networkId: new Uint8Array(Buffer.from(node.network.id, 'hex')),
    async open(protocol, { signal }) {
      const socket = connect(node.socket)
      const connected = new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('error', reject)
      })
      try {
        await raceSignal(connected, signal)
      } catch (cause) {
        socket.destroy()
        signal?.throwIfAborted() // because a deadline says nothing of the node
        throw unreachable(node.name, cause)
      }
      socket.on('error', () => socket.destroy())
      const channel = socketChannel(socket, MAX_ENVELOPE_BYTES)
      await channel.write(localGreeting(protocol), { signal })
      return channel
    },
    close: async () => {}
  }
}

/** Over libp2p with a key of its own that lives as long as the connection. @param address ends in /p2p/PEERID */
export async function remoteConnection(
  address: string,
  network: Network,
  options: Abortable
): Promise<NodeConnection> {
  const peerId = /\/p2p\/([^/]+)$/.exec(address)?.[1]
  if (peerId === undefined)
    throw new ClientError('NODE_ADDRESS_INVALID', `${address} does not say which node it is`, {
      hint: 'A full address ends in /p2p/PEERID; "beemesh node start" prints it.'
    })
  const entry = publicKeyFromPeerId(peerId)
  const { createClientHost } = await import('./libp2p-host.ts')
  const host = await createClientHost(network)
  try {
    const connection = await host.dial(address, options)
    return {
      entry,
      networkId: network.id,
      open: async (protocol, { signal }) => {
        try {
          const stream = await connection.newStream(protocolId(networkTag(network), protocol), {
            signal,
            runOnLimitedConnection: true,
            maxOutboundStreams: MAX_STREAMS
          })
          return await streamChannel(stream, MAX_ENVELOPE_BYTES)
        } catch (cause) {
          signal?.throwIfAborted()
          if (toError(cause).name === 'UnsupportedProtocolError')
            throw new WireError('NODE_UNREACHABLE', `${address} does not belong to network ${network.name}`, {
              cause,
              hint: 'Name its network with --network NAME or --network-key FILE.'
            })
          throw unreachable(address, cause)
        }
      },
      close: () => host.stop()
    }
  } catch (cause) {
    await host.stop()
    if (cause instanceof WireError || cause instanceof ClientError) throw cause
    options.signal?.throwIfAborted()
    throw unreachable(address, cause)
  }
}

function unreachable(node: string, cause: unknown): WireError {
  return openError(cause, `the node ${node}`, {
    hint: 'Is it running, and does its address and network match? "beemesh node start" prints both.'
  })
}
