import { equalBytes, timeoutSignal, toError, withDeadline } from '../../common/index.ts'
import { decode, peekEnvelope } from '../../envelope/index.ts'
import { FORWARD } from '../../generated/fbs/index.ts'
import { audienceOf, type SigningKey } from '../../identity/index.ts'
import { CreditedWriter } from '../channel/credit.ts'
import type { FrameChannel } from '../channel/frame-channel.ts'
import { openError, WireError } from '../errors.ts'
import { FORWARD_PROTOCOL_NAME, MAX_FORWARD_BYTES, OWNER_PROTOCOLS, type Protocol } from '../protocols.ts'
import type { Doors } from './doors.ts'
import { Responder } from './responder.ts'

/** For the target to be dialled and the stream to open. Source: facts, an address that is dead takes 6 s by itself. */
const OPEN_TIMEOUT_MS = 8_000
/** Forwards at once, all askers together. Each holds two streams and at most 2 MiB on the way. Chosen, no evidence yet. */
const MAX_FORWARDS = 256

export interface ForwarderInit {
  readonly key: SigningKey
  readonly networkId: Uint8Array
  readonly doors: Doors
  /** Opens a stream of this protocol to a node. @param target Uint8Array(32) */
  readonly openStream: (
    target: Uint8Array,
    options: { protocol: Protocol; addresses: readonly string[]; signal: AbortSignal }
  ) => Promise<FrameChannel>
  readonly now?: () => number
}

/**
 * Passes an owner's envelope on to the node it is for, once, and the answer back. It checks what that node would check
 * first (known author, budget, signature), cannot read or change anything, and never buffers more than the credit allows.
 */
export class Forwarder {
  readonly #init: ForwarderInit
  #active = 0

  constructor(init: ForwarderInit) {
    this.#init = init
  }

  /** Serves one forward. @param transport the connection's peer ID, or "local" */
  async serve(channel: FrameChannel, transport: string): Promise<void> {
    const frame = await channel.read({ signal: AbortSignal.timeout(5_000) })
    if (frame === undefined) return
    const { target, protocol: name, addresses, envelope: bytes } = this.#decode(frame)
    const { key, doors, networkId, now = Date.now } = this.#init
    if (equalBytes(target, key.publicKey)) return doors.serveRequest(channel, name, bytes, transport)

    let upstream: FrameChannel | undefined
    const peeked = peekEnvelope(bytes)
    const about = { author: peeked?.author, transport, protocol: FORWARD_PROTOCOL_NAME, verified: false }
    try {
      const protocol = forwardable(name)
      const audience = audienceOf(target)
      doors.verify(doors.check(bytes, { protocol, transport, audience, forwarding: true }), about)
      if (this.#active >= MAX_FORWARDS)
        throw new WireError('BUSY', 'this node forwards too much already', { retryable: true })
      this.#active++
      try {
        upstream = await this.#open(target, protocol, addresses)
        await upstream.write(bytes, { signal: timeoutSignal(OPEN_TIMEOUT_MS) })
        doors.accepted(about)
        await splice(channel, upstream)
      } finally {
        this.#active--
      }
    } catch (thrown) {
      const error = toError(thrown)
      upstream?.abort(error)
      doors.refused(error, about)
      const writer = new CreditedWriter(channel)
      await new Responder({ key, networkId, writer, now, request: peeked }).fail(error).catch(() => {})
      await channel.close()
    }
  }

  #decode(frame: Uint8Array) {
    if (frame.byteLength > MAX_FORWARD_BYTES)
      throw new WireError('FRAME_TOO_LARGE', 'the forward frame is too large')
    return decode(FORWARD, frame)
  }

  async #open(target: Uint8Array, protocol: Protocol, addresses: readonly string[]): Promise<FrameChannel> {
    try {
      return await this.#init.openStream(target, {
        protocol,
        addresses,
        signal: withDeadline(OPEN_TIMEOUT_MS)
      })
    } catch (cause) {
      if (openError(cause, '').code === 'TOO_MANY_REQUESTS')
        throw new WireError('BUSY', 'this node forwards too much to that node already', {
          cause,
          retryable: true
        })
      throw new WireError('NODE_UNREACHABLE', 'the entry node cannot reach the node this is for', {
        cause,
        retryable: true,
        hint: 'See which nodes are there with "beemesh get nodes".'
      })
    }
  }
}

function forwardable(name: string): Protocol {
  const protocol = Object.values(OWNER_PROTOCOLS).find((row) => row.name === name && row.forwardable)
  if (protocol === undefined) throw new WireError('NOT_FORWARDABLE', 'this protocol is not forwarded')
  return protocol
}

/** Frames down, credit up, until either side ends; then both end. */
async function splice(asker: FrameChannel, target: FrameChannel): Promise<void> {
  const up = (async () => {
    for (let frame = await asker.read(); frame !== undefined; frame = await asker.read())
      await target.write(frame)
  })()
  // because an asker that is gone must end the request at the target, not leave it running
  up.then(
    () => target.abort(new WireError('CANCELLED', 'the asker ended the request')),
    (error) => target.abort(toError(error))
  )
  try {
    for (let frame = await target.read(); frame !== undefined; frame = await target.read())
      await asker.write(frame)
    await asker.close()
  } catch (thrown) {
    asker.abort(toError(thrown))
    target.abort(toError(thrown))
  }
}
