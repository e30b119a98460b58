/** Who has room: what is asked, with the rules in it, and what is answered, up to a plan. */
import { utf8 } from '../../../src/common/index.ts'
import { decode } from '../../../src/envelope/index.ts'
import {
  BID_REQUEST,
  CAPACITY_REQUEST,
  encodeBid,
  encodeBidRequest,
  encodeCapacityRequest
} from '../../../src/generated/fbs/index.ts'
import { makeBid, openBid, rulesOf } from '../../../src/scheduler/bids/bid.ts'
import { collectBids } from '../../../src/scheduler/bids/collect-bids.ts'
import { plan } from '../../../src/scheduler/plan/index.ts'
import { bytesOf, NETWORK, NOW_MS, OWNER } from '../../../test/envelope/fixtures.ts'
import type { Target } from '../types.ts'
import { canonicalText, forgeObject } from './forge.ts'
import { JOB_RECORD, type MakeWorld, PEER, PLACEMENT } from './small-world.ts'

const KIB = 1024
const networkId = NETWORK.id
const { signal } = new AbortController()
const { manifestId } = JOB_RECORD
const requestId = bytesOf('request', 16)

export async function bidTargets(make: MakeWorld): Promise<Target[]> {
  const wanted = {
    requestId,
    manifestId,
    cpuMillis: 100,
    memoryBytes: 1_000_000,
    storageBytes: 1_000,
    copies: 2,
    placement: PLACEMENT,
    explain: true,
    owner: OWNER.publicKey
  }
  const request = encodeBidRequest(wanted)
  const { world } = await make()
  const bid = makeBid(world, decode(BID_REQUEST, request))!
  const room = { freeCpuMillis: 4_000, freeMemoryBytes: 2 ** 33, freeStorageBytes: 2 ** 36, freePods: 9 }
  const bidBody = encodeBid({
    requestId,
    nodeName: 'kestrel',
    issuedAt: NOW_MS,
    ...room,
    allocatableCpuMillis: 4_000,
    allocatableMemoryBytes: 2 ** 33,
    upSeconds: 100,
    labels: [
      { key: 'zone', value: 'attic' },
      { key: '__proto__', value: 'läuft' },
      { key: 'taint.beemesh.io/gpu', value: 'yes:NoSchedule' }
    ],
    engines: ['podman'],
    scheduling: true,
    ordinals: [0, 1],
    refusals: ['no room'],
    freeableCpuMillis: 5,
    freeablePods: 1
  })
  return [
    {
      name: 'bid-request',
      form: 'flatbuffer',
      maxBytes: 12 * KIB,
      seeds: [request, encodeBidRequest({ requestId })],
      feed: (payload) => makeBid(world, decode(BID_REQUEST, payload))
    },
    {
      name: 'bid-rules',
      form: 'json',
      maxBytes: 9 * KIB,
      seeds: [utf8(PLACEMENT)],
      feed: (bytes) => {
        const placement = canonicalText(bytes)
        return makeBid(world, decode(BID_REQUEST, encodeBidRequest({ ...wanted, placement })))
      }
    },
    {
      name: 'capacity',
      form: 'flatbuffer',
      maxBytes: 12 * KIB,
      seeds: [encodeCapacityRequest({ request: wanted, replyKey: bytesOf('reply', 1216) })],
      feed: async (payload) => collectBids(world, decode(CAPACITY_REQUEST, payload).request, { signal })
    },
    { name: 'bid', form: 'flatbuffer', maxBytes: 8 * KIB, seeds: [bid], feed: planWith },
    {
      name: 'bid-well-signed',
      form: 'flatbuffer',
      maxBytes: 8 * KIB,
      share: 8,
      seeds: [bidBody],
      feed: (body) => planWith(forgeObject('bid', body, PEER))
    }
  ]
}

/** What an owner's planner makes of it. */
function planWith(bid: Uint8Array): unknown {
  const view = openBid(bid, { networkId, requestId, roundTripMs: 3 })
  if (view === undefined) return undefined
  const perCopy = { cpuMillis: 100, memoryBytes: 1_000, storageBytes: 0 }
  return plan(
    { candidates: [view] },
    { rules: rulesOf(PLACEMENT), perCopy, engine: undefined, ordinals: [0, 1, 2], perNode: false },
    () => 0.5
  )
}
