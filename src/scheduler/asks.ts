import { peerIdFromString } from '@libp2p/peer-id'
import { decode } from '../envelope/index.ts'
import {
  ASSIGN_REQUEST,
  type AssignRequest,
  BID_LIST,
  encodeAssignRequest,
  encodeBidRequest,
  encodeKeepRequest,
  encodeReleased,
  encodeReleaseRequest,
  encodeVerdict,
  RELEASE_REQUEST,
  RELEASED,
  type ReleasedInit,
  type ReleaseRequest,
  VERDICT,
  type VerdictInit
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
    bid: (peerId, request, options) => {
      const answer = { type: 'bidList', root: BID_LIST } as const
      const asked = encodeBidRequest(request)
      return wire.ask(peerIdFromString(peerId), PEER_PROTOCOLS.bid, asked, answer, options)
    }
  }
}

/** What a node answers to itself. */
export interface OwnAnswers {
  readonly peerId: string
  assign(request: AssignRequest, from: string): Promise<VerdictInit>
  release(request: ReleaseRequest, from: string): Promise<ReleasedInit>
}

/**
 * The same for a node that may be the one it asks: nobody dials itself, and a keeper may be the best place for a copy, a holder the one
 * that is to run it. Questions go through the codecs all the same, so that answers look as others' do.
 */
export function asksAlsoHere(asks: Asks, own: () => OwnAnswers): Asks {
  return {
    ...asks,
    async assign(peerId, request, options) {
      if (peerId !== own().peerId) return asks.assign(peerId, request, options)
      const asked = decode(ASSIGN_REQUEST, encodeAssignRequest(request))
      return decode(VERDICT, encodeVerdict(await own().assign(asked, peerId)))
    },
    async release(peerId, request, options) {
      if (peerId !== own().peerId) return asks.release(peerId, request, options)
      const asked = decode(RELEASE_REQUEST, encodeReleaseRequest(request))
      return decode(RELEASED, encodeReleased(await own().release(asked, peerId)))
    }
  }
}
