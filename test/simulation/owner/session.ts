import type { Session } from '../../../src/client/index.ts'
import { isBeemeshError, toHex, withDeadline } from '../../../src/common/index.ts'
import { decode, type Root } from '../../../src/envelope/index.ts'
import { APPLY_REQUEST, CAPACITY_REQUEST, DELETE_REQUEST, QUERY } from '../../../src/generated/fbs/index.ts'
import type { SigningKey } from '../../../src/identity/index.ts'
import { RemoteError, WireError } from '../../../src/wire/index.ts'
import { NETWORK } from '../node/keys.ts'
import type { Machine, Mesh } from '../node/machine.ts'
import type { Host, VirtualClock } from '../time/clock.ts'

type Protocol = 'apply' | 'delete' | 'status' | 'capacity' | 'inspect'
const ROOTS: Readonly<Record<Protocol, Root<unknown, never>>> = {
  apply: APPLY_REQUEST,
  delete: DELETE_REQUEST,
  status: QUERY,
  inspect: QUERY,
  capacity: CAPACITY_REQUEST
}

/** A node does not let an answer take longer. Source: src/wire/protocols.ts, the longest of them. */
const ANSWER_TIMEOUT_MS = 30_000
/** What was not heard by then is lost with the connection. Chosen: the slowest way there is, some times over. */
const FRAMES_TIMEOUT_MS = 5_000

export interface SessionInit {
  readonly mesh: Mesh
  readonly clock: VirtualClock
  readonly key: SigningKey
  /** The client's own process. */
  readonly host: Host
  readonly entry: Machine
  /** A request is on its way: whatever it carries may arrive. */
  readonly onRequest: (protocol: Protocol, payload: unknown) => void
  /** A frame of an answer came. */
  readonly onFrame: (protocol: Protocol, body: Uint8Array) => void
}

/**
 * What the client's code calls a session: questions through an entry node to the real handlers of the node that is meant. Modelled: no
 * envelope around a request and no sealing of answers, both of which have tests of their own.
 */
export function simulatedSession(init: SessionInit): Session {
  const { key, entry } = init
  const self = {
    key,
    connection: { networkId: NETWORK.id, entry: entry.keys.key.publicKey },
    entry: { publicKey: entry.keys.key.publicKey },
    chains: [],
    ask: (
      target: { publicKey: Uint8Array },
      protocol: Protocol,
      encode: (replyKey: Uint8Array) => Uint8Array,
      { signal }: { signal?: AbortSignal } = {}
    ) => ask(init, target, protocol, encode(new Uint8Array(1216)), withDeadline(ANSWER_TIMEOUT_MS, signal))
  }
  return self as unknown as Session
}

async function* ask(
  { mesh, key, host, entry, onRequest, onFrame, clock }: SessionInit,
  target: { publicKey: Uint8Array },
  protocol: Protocol,
  bytes: Uint8Array,
  signal: AbortSignal
): AsyncGenerator<Uint8Array> {
  const wanted = toHex(target.publicKey)
  const machine = mesh.machines.find(({ keys }) => toHex(keys.key.publicKey) === wanted)
  if (machine === undefined) throw new WireError('NODE_UNREACHABLE', 'there is no such node')
  onRequest(protocol, decode(ROOTS[protocol], bytes))
  const bodies: Uint8Array[] = []
  let wake = Promise.withResolvers<void>()
  let over = false
  // because the entry node passes everything on, nothing comes when it is gone
  const isThere = () => entry.daemon?.host.alive === true && !entry.daemon.host.frozen
  // frames of one stream: they come in their order, and none is missing in between
  let sent = 0
  let heard = 0
  const arrived = new Map<number, () => void>()
  const hear = (act: () => void) => {
    const from = { at: machine.at, host: machine.daemon!.host }
    if (!isThere()) return
    const index = sent++
    const arrive = () => {
      arrived.set(index, act)
      for (let next = arrived.get(heard); next !== undefined; next = arrived.get(heard)) {
        arrived.delete(heard++)
        next()
      }
      wake.resolve()
    }
    mesh.wire.tell(from, entry.at, () => void clock.after(0, host, arrive), true)
  }
  const serve = async () => {
    const daemon = machine.daemon!
    const send = async (body: Uint8Array) =>
      hear(() => {
        onFrame(protocol, body)
        bodies.push(body)
      })
    const payload = decode(ROOTS[protocol], bytes) as never
    const request = { author: key.publicKey, authorPeerId: key.peerId, payload, reply: { send }, signal }
    try {
      await daemon.doors.get(protocol)!(request)
      return {}
    } catch (error) {
      if (!isBeemeshError(error)) return { code: 'INTERNAL', message: String(error), details: {} }
      return { code: error.code, message: error.message, details: error.details }
    }
  }
  if (!isThere()) throw new WireError('NODE_UNREACHABLE', 'the entry node does not answer')
  const watching = new AbortController()
  const isDown = () => {
    if (over) return
    if (!isThere()) watching.abort(new WireError('CONNECTION_LOST', 'the entry node is gone'))
    else clock.after(200, host, isDown)
  }
  isDown()
  const limit = AbortSignal.any([signal, watching.signal])
  let failure: unknown
  const done = mesh.wire
    .ask({ at: entry.at, host }, machine.at, { name: protocol, serve, signal: limit })
    .then(
      (answer) => {
        const { code, message, details } = answer as { code?: string; message?: string; details?: object }
        if (code !== undefined) failure = new RemoteError(code, message ?? '', { details: { ...details } })
      },
      (error: unknown) => {
        failure = error
      }
    )
    .finally(() => {
      const endedMs = clock.nowMs
      const end = () => {
        // frames that were sent before may still be on their way
        const isCut = clock.nowMs - endedMs > FRAMES_TIMEOUT_MS
        if (heard < sent && !isCut) return void clock.after(50, host, end)
        if (isCut) failure ??= new WireError('CONNECTION_LOST', 'the connection ended in the middle')
        over = true
        wake.resolve()
      }
      clock.after(50, host, end)
    })
  for (;;) {
    while (bodies.length > 0) yield bodies.shift()!
    if (over) break
    await wake.promise
    wake = Promise.withResolvers<void>()
  }
  await done
  if (failure !== undefined) throw failure
}
