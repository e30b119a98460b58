import { decode } from '../../../src/envelope/index.ts'
import {
  ASSIGN_REQUEST,
  BID_LIST,
  BID_REQUEST,
  encodeAssignRequest,
  encodeBidList,
  encodeBidRequest,
  encodeFenceRequest,
  encodeKeepRequest,
  encodeReleased,
  encodeReleaseRequest,
  encodeVerdict,
  FENCE_REQUEST,
  KEEP_REQUEST,
  RELEASE_REQUEST,
  RELEASED,
  VERDICT
} from '../../../src/generated/fbs/index.ts'
import { makeBid } from '../../../src/scheduler/bids/bid.ts'
import type { Asks } from '../../../src/scheduler/types.ts'
import { WireError } from '../../../src/wire/index.ts'
import type { End, SimulatedWire } from '../network/wire.ts'
import type { Daemon } from './daemon.ts'

/** The questions between nodes, each as bytes there and back. */
export function asksOver(
  wire: SimulatedWire,
  end: End,
  self: string,
  of: (peerId: string) => { readonly at: number; readonly daemon: () => Daemon } | undefined
): Asks {
  const ask = (
    name: string,
    peerId: string,
    signal: AbortSignal,
    serve: (daemon: Daemon) => Promise<Uint8Array> | Uint8Array
  ): Promise<Uint8Array> => {
    const other = of(peerId)
    if (other === undefined) return Promise.reject(new WireError('NODE_UNREACHABLE', 'nobody has this key'))
    return wire.ask(end, other.at, { name, signal, serve: () => serve(other.daemon()) })
  }
  return {
    async keep(peerId, request, { signal }) {
      const bytes = encodeKeepRequest(request)
      const answer = await ask('keep', peerId, signal, async ({ parts }) =>
        encodeVerdict(await parts.keeping.answer(decode(KEEP_REQUEST, bytes), self))
      )
      return decode(VERDICT, answer)
    },
    async assign(peerId, request, { signal }) {
      const bytes = encodeAssignRequest(request)
      const answer = await ask('assign', peerId, signal, async ({ parts }) =>
        encodeVerdict(await parts.accepting.answer(decode(ASSIGN_REQUEST, bytes), self))
      )
      return decode(VERDICT, answer)
    },
    async release(peerId, request, { signal }) {
      const bytes = encodeReleaseRequest(request)
      const answer = await ask('release', peerId, signal, async (daemon) => {
        const asked = decode(RELEASE_REQUEST, bytes)
        const released = await daemon.parts.releasing.answer(asked, self)
        if (released.code === undefined) daemon.onReleased(asked, self)
        return encodeReleased(released)
      })
      return decode(RELEASED, answer)
    },
    async bid(peerId, request, { signal }) {
      const bytes = encodeBidRequest(request)
      const answer = await ask('bid', peerId, signal, ({ world }) => {
        const bid = makeBid(world, decode(BID_REQUEST, bytes))
        return encodeBidList({ bids: bid === undefined ? [] : [{ bid }], asked: 1, members: 1 })
      })
      return decode(BID_LIST, answer)
    },
    async fence(peerId, request, { signal }) {
      const bytes = encodeFenceRequest(request)
      const answer = await ask('fence', peerId, signal, async ({ parts }) =>
        encodeVerdict(await parts.fenceKeeping.answer(decode(FENCE_REQUEST, bytes), self))
      )
      return decode(VERDICT, answer)
    }
  }
}
