import { peerIdFromString } from '@libp2p/peer-id'
import { decode } from '../envelope/index.ts'
import {
  ASSIGN_REQUEST,
  type AssignRequest,
  BID_LIST,
  encodeAssignRequest,
  encodeBidRequest,
  encodeFenceRequest,
  encodeKeepRequest,
  encodeReleaseRequest,
  encodeVerdict,
  RELEASED,
  VERDICT,
  type VerdictInit
} from '../generated/fbs/index.ts'
import { PEER_PROTOCOLS, type PeerRequests } from '../wire/index.ts'
import type { Asks } from './types.ts'

/** The questions of {@link Asks} over the wire; what a keeper assigns to its own node is answered there. */
export function asksOver(
  wire: PeerRequests,
  own: { self: string; assign: (request: AssignRequest) => Promise<VerdictInit> }
): Asks {
  const verdict = { type: 'verdict', root: VERDICT } as const
  return {
    keep: (peerId, request, options) =>
      wire.ask(peerIdFromString(peerId), PEER_PROTOCOLS.keep, encodeKeepRequest(request), verdict, options),
    assign: async (peerId, request, options) => {
      const asked = encodeAssignRequest(request)
      if (peerId === own.self)
        return decode(VERDICT, encodeVerdict(await own.assign(decode(ASSIGN_REQUEST, asked))))
      return wire.ask(peerIdFromString(peerId), PEER_PROTOCOLS.assign, asked, verdict, options)
    },
    release: (peerId, request, options) => {
      const answer = { type: 'released', root: RELEASED } as const
      const asked = encodeReleaseRequest(request)
      return wire.ask(peerIdFromString(peerId), PEER_PROTOCOLS.release, asked, answer, options)
    },
    fence: (peerId, request, options) => {
      const asked = encodeFenceRequest(request)
      return wire.ask(peerIdFromString(peerId), PEER_PROTOCOLS.fence, asked, verdict, options)
    },
    bid: (peerId, request, options) => {
      const answer = { type: 'bidList', root: BID_LIST } as const
      const asked = encodeBidRequest(request)
      return wire.ask(peerIdFromString(peerId), PEER_PROTOCOLS.bid, asked, answer, options)
    }
  }
}
