/** An owner's client, from docs/PROTOCOL.md alone: what it cannot find there is a gap. Imports nothing of ours. */
import { createHmac, hkdfSync, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import * as c from './crypto.ts'
import { join, number, pack, Table, u32le } from './flatbuffer.ts'

const TYPES = { apply: 1, delete: 2, status: 3, logs: 4, members: 5, providers: 6, reply: 7 } as const
const KINDS = [
  'none',
  'record',
  'grant',
  'node',
  'provider',
  'revocation',
  'auditHead',
  'bid',
  'done'
] as const

/** An outer frame of section 5, byte for byte: what is fixed, then signature, what is signed, and who or what it is of. */
function outerFrame(
  start: string,
  reach: number,
  parts: Record<'kind' | 'signature' | 'signed' | 'tail', Uint8Array>
) {
  const { kind, signature, signed, tail } = parts
  const padding = Buffer.alloc((4 - (signed.length % 4)) % 4)
  const fixed = join(Buffer.from(start, 'hex'), u32le(reach + signed.length + padding.length), kind)
  const vectors = [u32le(64), signature, u32le(signed.length), signed, padding, u32le(tail.length), tail]
  return join(fixed, ...vectors)
}

export function envelopeFrame(header: Uint8Array, payload: Uint8Array, signature: Uint8Array): Buffer {
  const start = '14000000424d455600000a0010000c00080004000a0000000c0000004c000000'
  return outerFrame(start, 76, { kind: Buffer.alloc(0), signature, signed: payload, tail: header })
}

export function objectFrame(kind: number, author: Uint8Array, body: Uint8Array, sig: Uint8Array): Buffer {
  const start = '14000000424d534f0c00140013000c00080004000c0000001000000050000000'
  return outerFrame(start, 80, { kind: Buffer.of(0, 0, 0, kind), signature: sig, signed: body, tail: author })
}

/** What is sealed to one node, and what the record promises of it. */
type Sealing = Record<'id' | 'node' | 'sealingKey', Uint8Array> &
  Record<'version' | 'nowMs' | 'replicas' | 'cpuMillis' | 'memoryBytes', number>

export class Owner {
  readonly publicKey: Buffer
  readonly #seed: Uint8Array
  readonly #key: KeyObject
  readonly #networkId: Uint8Array

  constructor(seed: Uint8Array, networkId: Uint8Array) {
    this.#seed = seed
    this.#key = c.secretKey('ed25519', seed)
    this.#networkId = networkId
    this.publicKey = c.rawPublic(this.#key, 32)
  }

  ask(type: keyof typeof TYPES, payload: Uint8Array, to: { target: Uint8Array; nowMs: number }) {
    const nonce = randomBytes(16)
    const header = join(
      ...['BMSH', Uint8Array.of(1, 1, TYPES[type], 0), this.publicKey, this.#networkId, c.u64be(to.nowMs)],
      ...[nonce, c.audience(to.target), c.u32be(payload.length), c.u32be(0)]
    )
    const signature = sign(null, join('beemesh.v1/envelope\0', header, payload), this.#key)
    const envelope = envelopeFrame(header, payload, signature)
    return { envelope, id: c.sha256(header, payload), nonce, target: to.target }
  }

  /** Reads the frames of an answer in order. @param key secret half of the request's reply key */
  reader(asked: Record<'id' | 'nonce' | 'target', Uint8Array>, key: c.XWingKey) {
    let answerKey: Buffer | undefined
    let expected = 0
    return (frame: Uint8Array) => {
      const outer = Table.root(frame, 'BMEV')
      const [header, payload, signature] = [outer.bytes(0), outer.bytes(1), outer.bytes(2)]
      const signed = join('beemesh.v1/envelope\0', header, payload)
      const wanted = join('BMSH', Uint8Array.of(1, 1, TYPES.reply, 0), asked.target, this.#networkId)
      const isOurs =
        header.subarray(0, 72).equals(wanted) &&
        header.subarray(80, 96).equals(asked.nonce) &&
        header.subarray(96, 128).equals(c.audience(this.publicKey)) &&
        envelopeFrame(header, payload, signature).equals(frame) &&
        verify(null, signed, c.publicKey('ed25519', asked.target), signature)
      if (!isOurs) throw new Error('not an answer to this request')
      const reply = Table.root(payload, 'BMRE')
      const [sequence, last, sealed] = [reply.number(0, 4), reply.number(1, 1), reply.number(2, 1)]
      if (sealed === 0) return { sealed: false, last: last === 1, body: reply.bytes(5) }
      if (sequence !== expected++) throw new Error(`a gap before frame ${sequence}`)
      const info = join('beemesh.v1/reply-key\0', this.#networkId, asked.target)
      answerKey ??= c.hpkeOpen(key, reply.bytes(3), { info, aad: asked.id }, reply.bytes(4))
      const gcm = {
        key: answerKey,
        nonce: join(Buffer.alloc(8), c.u32be(sequence)),
        aad: join('beemesh.v1/reply\0', asked.id, c.u32be(sequence), Uint8Array.of(last))
      }
      return { sealed: true, last: last === 1, body: c.gcmOpen(gcm, reply.bytes(5)) }
    }
  }

  sign(kind: (typeof KINDS)[number], body: Uint8Array): Buffer {
    const signature = sign(null, join(`beemesh.v1/${kind}\0`, this.#networkId, body), this.#key)
    return objectFrame(KINDS.indexOf(kind), this.publicKey, body, signature)
  }

  manifestId(namespace: string, kind: string, name: string): { salt: Buffer; id: Buffer } {
    const secret = hkdfSync('sha256', this.#seed, '', 'beemesh.v1/manifest-salt', 32)
    const named = `${namespace}\0${kind}\0${name}`
    const mac = createHmac('sha256', Buffer.from(secret))
    const salt = mac.update(join('beemesh.v1/manifest-salt\0', named)).digest()
    const digest = c.sha256('beemesh.v1/manifest\0', this.#networkId, this.publicKey, salt, named)
    return { salt, id: join(Uint8Array.of(0x01, 0x55, 0x12, 0x20), digest) }
  }

  /** Encrypts a document, seals its key to one node and signs the record. */
  sealDocument(document: Uint8Array, about: Sealing) {
    const { id, version, nowMs, replicas, cpuMillis, memoryBytes, node, sealingKey } = about
    const key = randomBytes(32)
    const nonce = randomBytes(12)
    const padded = Buffer.alloc(Math.max(1, Math.ceil(document.length / 1024)) * 1024)
    padded.set(document)
    const place = join(this.#networkId, this.publicKey, id, c.u64be(version))
    const aad = join('beemesh.v1/manifest\0', place, Uint8Array.of(1, 1), c.u32be(document.length))
    const ciphertext = join(nonce, c.gcmSeal({ key, nonce, aad }, padded))
    const commitment = c.sha256('beemesh.v1/cek-commit\0', id, c.u64be(version), key)
    const info = join('beemesh.v1/cek-wrap\0', this.#networkId, this.publicKey, c.multihash(node))
    const sealed = c.hpkeSeal(sealingKey, { info, aad: join(id, c.u64be(version), commitment) }, key)
    const times = [version, nowMs, nowMs + 1000].map((value) => number(8, value))
    const promised = [number(4, replicas), number(4, cpuMillis), number(8, memoryBytes)]
    const method = [number(1, 1), number(1, 1), number(4, document.length)]
    const digests = [{ bytes: c.sha256(ciphertext) }, { bytes: commitment }]
    const body = pack('BMRC', [{ bytes: id }, ...times, undefined, ...promised, ...method, ...digests])
    return { record: this.sign('record', body), ciphertext, sealed }
  }
}

/** Frames with a varint in front; the greeting first. Yields until the other side ends, acknowledging each. */
export async function* exchange(path: string, protocol: string, request: Uint8Array): AsyncGenerator<Buffer> {
  const socket = connect(path)
  writeFrame(socket, join(Uint8Array.of(1), protocol))
  writeFrame(socket, request)
  let buffered: Buffer = Buffer.alloc(0)
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    buffered = join(buffered, chunk)
    for (let frame = take(buffered); frame !== undefined; frame = take(buffered)) {
      buffered = buffered.subarray(frame.end)
      yield frame.bytes
      if (socket.writable) writeFrame(socket, Uint8Array.of(1))
    }
  }
}

function writeFrame(socket: Socket, bytes: Uint8Array): void {
  const length: number[] = []
  let rest = bytes.length
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128)
  socket.write(join(Uint8Array.from([...length, rest]), bytes))
}

function take(buffer: Buffer): { bytes: Buffer; end: number } | undefined {
  let length = 0
  for (let index = 0; index < buffer.length; index++) {
    length += (buffer[index]! % 128) * 128 ** index
    if (buffer[index]! >= 128) continue
    const end = index + 1 + length
    return end > buffer.length ? undefined : { bytes: buffer.subarray(index + 1, end), end }
  }
  return undefined
}
