/** Frames as they come from a stream or a socket, up to what a service is handed. */

import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { concat } from '../../../src/common/index.ts'
import {
  decode,
  ENVELOPE,
  ERROR_REPLY,
  MESSAGE_TYPES,
  peekEnvelope,
  REPLY,
  type Root
} from '../../../src/envelope/index.ts'
import {
  encodeDeleteRequest,
  encodeExecRequest,
  encodeForward,
  encodeQuery
} from '../../../src/generated/fbs/index.ts'
import { createReplyKeyPair } from '../../../src/sealing/index.ts'
import type { Collection } from '../../../src/store/index.ts'
import { ownersOnly } from '../../../src/trust/index.ts'
import { Forwarder } from '../../../src/wire/doors/forward.ts'
import {
  Doors,
  type FrameChannel,
  OWNER_PROTOCOLS,
  type OwnerProtocolName,
  ReplayGuard,
  socketChannel,
  WireError
} from '../../../src/wire/index.ts'
import {
  apply,
  bytesOf,
  NETWORK,
  NODE,
  NOW_MS,
  OWNER,
  query,
  signed
} from '../../../test/envelope/fixtures.ts'
import { samplesOf } from '../sample.ts'
import type { Target } from '../types.ts'
import { forgeEnvelope, typeOf } from './forge.ts'
import { throwRefusal } from './refused.ts'

const KIB = 1024
const NAMES = Object.keys(OWNER_PROTOCOLS) as OwnerProtocolName[]
const now = () => NOW_MS

export async function wireTargets(): Promise<Target[]> {
  const { publicKey: replyKey } = await createReplyKeyPair()
  const asked = encodeQuery({ replyKey, workloadId: 'web-0', tail: 10 })
  const requests = [
    asked,
    ...[...new Set(NAMES.map(rootOf))].flatMap((root) => withReplyKey(root, replyKey)),
    query(),
    apply(),
    encodeDeleteRequest({ record: bytesOf('record', 200), replyKey }),
    encodeExecRequest({ manifestId: bytesOf('manifest', 36), command: ['sh', '-c', 'true'], replyKey })
  ]
  const envelopes = [signed(), signed({ payload: asked }), signed({ type: 'apply', payload: apply() })]
  const forward = (envelope: Uint8Array, target: Uint8Array) =>
    encodeForward({ target, addresses: ['/ip4/192.0.2.7/tcp/4001'], protocol: 'status', envelope })
  return [
    {
      name: 'door-frame',
      form: 'flatbuffer',
      maxBytes: 8 * KIB,
      seeds: envelopes,
      feed: (frame) => serve((doors, channel) => doors.serve(channel, protocolOf(frame), 'somebody'), frame)
    },
    {
      name: 'door-well-signed',
      form: 'flatbuffer',
      maxBytes: 8 * KIB,
      share: 1,
      seeds: requests,
      feed: (payload) => {
        const type = typeOf(payload)
        const name = NAMES.find((one) => OWNER_PROTOCOLS[one].request === type) ?? 'status'
        return serve((doors, channel) => doors.serve(channel, name, 'somebody'), forgeEnvelope(type, payload))
      }
    },
    {
      name: 'forward-frame',
      form: 'flatbuffer',
      maxBytes: 8 * KIB,
      share: 2,
      seeds: [
        ...envelopes.flatMap((one) => [forward(one, NODE.publicKey), forward(one, bytesOf('other', 32))])
      ],
      feed: (frame) => serve((doors, channel) => forwarder(doors).serve(channel, 'somebody'), frame)
    },
    {
      name: 'socket-frames',
      form: 'bytes',
      maxBytes: 64 * KIB,
      seeds: [
        framed(...envelopes),
        framed(bytesOf('a', 300), new Uint8Array(), bytesOf('b', 5)),
        Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x7f)
      ],
      feed: readSocket
    }
  ]
}

/** Serves a frame that came in, on a node that obeys OWNER. @throws what it answers, or why it hangs up */
async function serve(
  act: (doors: Doors, channel: FrameChannel) => Promise<void>,
  frame: Uint8Array
): Promise<readonly unknown[]> {
  const served: unknown[] = []
  const doors = new Doors({
    key: NODE,
    networkId: NETWORK.id,
    trust: () => ownersOnly(new Set([OWNER.peerId])),
    replay: new ReplayGuard(FORGETFUL, now),
    now
  })
  for (const name of NAMES) doors.open(name, rootOf(name), async ({ payload }) => void served.push(payload))
  const written: Uint8Array[] = []
  await act(doors, oneFrame(frame, written))
  for (const answer of written) throwIfRefused(answer)
  return served
}

function throwIfRefused(answer: Uint8Array): void {
  const { body = new Uint8Array(), sealed } = decode(REPLY, decode(ENVELOPE, answer).payload)
  if (sealed) return
  const { code, message } = decode(ERROR_REPLY, body)
  throwRefusal(code, message)
}

function forwarder(doors: Doors): Forwarder {
  const openStream = () => Promise.reject(new WireError('NODE_UNREACHABLE', 'there is nobody'))
  return new Forwarder({ key: NODE, networkId: NETWORK.id, doors, openStream, now })
}

/** Of each sort of request samples whose answer can be sealed, so that mutants get as far as a service. */
function withReplyKey(root: Root<{ replyKey: Uint8Array }>, replyKey: Uint8Array): Uint8Array[] {
  return samplesOf(root).map((sample) => root.encode({ ...decode(root, sample), replyKey } as never))
}

/** What a request of the protocol is. */
function rootOf(name: OwnerProtocolName): Root<{ replyKey: Uint8Array }> {
  return MESSAGE_TYPES[OWNER_PROTOCOLS[name].request].payloads[0] as Root<{ replyKey: Uint8Array }>
}

/** The protocol that fits the type in the header, so that mutants get further than that check. */
function protocolOf(frame: Uint8Array): OwnerProtocolName {
  const type = peekEnvelope(frame) && decode(ENVELOPE, frame).header[6]
  return NAMES.find((name) => MESSAGE_TYPES[OWNER_PROTOCOLS[name].request].type === type) ?? 'status'
}

/** A stream with one frame on it, whose asker stays until it is closed. */
function oneFrame(frame: Uint8Array, written: Uint8Array[]): FrameChannel {
  const frames = [frame]
  const closed = Promise.withResolvers<undefined>()
  let failed: Error | undefined
  return {
    read: async () => frames.shift() ?? closed.promise,
    write: async (bytes) => void written.push(bytes),
    close: async () => {
      closed.resolve(undefined)
      if (failed !== undefined) throw failed
    },
    abort: (reason) => {
      closed.resolve(undefined)
      failed = reason
    }
  }
}

const FORGETFUL = { put: async () => {}, delete: async () => {} } as unknown as Collection<number>

function framed(...frames: readonly Uint8Array[]): Uint8Array {
  return concat(
    ...frames.flatMap((frame) => {
      const length = frame.byteLength
      return [
        length > 0x7f ? Uint8Array.of((length & 0x7f) | 0x80, length >> 7) : Uint8Array.of(length),
        frame
      ]
    })
  )
}

/** All frames on a local socket that gets the bytes in pieces. */
async function readSocket(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
  const pieces: Buffer[] = []
  const size = 1 + ((bytes[0] ?? 0) % 97) * 10
  for (let at = 0; at < bytes.byteLength; at += size)
    pieces.push(Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(size, bytes.byteLength - at)))
  const channel = socketChannel(Readable.from(pieces) as unknown as Socket, 64 * KIB)
  const frames: Uint8Array[] = []
  for (let frame = await channel.read(); frame !== undefined; frame = await channel.read()) frames.push(frame)
  return frames
}
