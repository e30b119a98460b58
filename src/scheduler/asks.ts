import { peerIdFromString } from '@libp2p/peer-id'
import {
  BID_LIST,
  encodeAssignRequest,
  encodeBidRequest,
  encodeFenceRequest,
  encodeKeepRequest,
  encodeReleaseRequest,
  RELEASED,
  VERDICT
} from '../generated/fbs/index.ts'
import { PEER_PROTOCOLS, type PeerWire } from '../wire/index.ts'
import type { Asks } from './types.ts'

/** The questions of {@link Asks} over libp2p. */
export function asksOver(wire: PeerWire): Asks {
  const verdict = { type: 'verdict', root: VERDICT } as const
  return {
    keep: (peerId, request, options) =>
      wire.ask(peerIdFromString(peerId), PEER_PROTOCOLS.keep, encodeKeepRequest(request), verdict, options),
    assign: (peerId, request, options) =>
      wire.ask(
        peerIdFromString(peerId),
        PEER_PROTOCOLS.assign,
        encodeAssignRequest(request),
        verdict,
        options
      ),
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
