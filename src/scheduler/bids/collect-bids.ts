import { randomBytes } from 'node:crypto'
import type { BidEntryInit, BidRequest, BidRequestInit } from '../../generated/fbs/index.ts'
import { MAX_ASKED, MAX_SELECTION_WINDOW_MS, SELECTION_WINDOW_MS } from '../constants.ts'
import type { Neighbour, World } from '../types.ts'
import { makeBid, rulesOf } from './bid.ts'

export interface Collected {
  readonly bids: readonly BidEntryInit[]
  readonly asked: number
  /** Members that could have been asked. */
  readonly members: number
}

/**
 * Of those asked, who must have answered before a choice is made without the others, as long as the longest window allows. Chosen: on a busy
 * mesh the quickest alone would get everything, and the node that asks is always the quickest.
 */
const ENOUGH_SHARE = 0.75
/** Largest list that goes into one answer. Source: fbs/bids.fbs. */
const MAX_BIDS = 64

/**
 * Asks members what they have free. Done when all have answered, or when the selection window is over and there are as many bids as copies
 * wanted and most have answered; later, when there are fewer, but not much. Of a large mesh a sample is asked: who runs the manifest, and others by lot.
 */
export async function collectBids(
  world: World,
  request: BidRequest,
  { signal }: { readonly signal: AbortSignal }
): Promise<Collected> {
  const live = world.neighbours().filter(({ state }) => state === 'alive' || state === 'suspect')
  const asked = sample(world, request, live)
  const bids: BidEntryInit[] = []
  const stop = new AbortController()
  const limit = AbortSignal.any([signal, stop.signal])
  const { promise: done, resolve } = Promise.withResolvers<void>()
  let open = asked.length
  for (const node of asked)
    void ask(world, node, request, limit)
      .then((entries) => {
        if (bids.length < MAX_BIDS) bids.push(...entries.slice(0, 1))
      })
      .catch(() => {}) // because who does not answer does not bid
      .finally(() => {
        if (--open === 0) resolve()
      })
  const window = async () => {
    await world.delay(SELECTION_WINDOW_MS, { signal: limit })
    for (let waited = SELECTION_WINDOW_MS; waited < MAX_SELECTION_WINDOW_MS; waited += SELECTION_WINDOW_MS) {
      const answered = asked.length - open
      if (bids.length >= Math.max(1, request.copies) && answered >= asked.length * ENOUGH_SHARE) return
      await world.delay(SELECTION_WINDOW_MS, { signal: limit })
    }
  }
  if (open > 0) await Promise.race([done, window().catch(() => {})])
  stop.abort()
  return { bids: [...bids], asked: asked.length, members: live.length }
}

async function ask(
  world: World,
  node: Neighbour,
  request: BidRequest,
  signal: AbortSignal
): Promise<readonly BidEntryInit[]> {
  if (!node.self) {
    const { bids } = await world.asks.bid(node.peerId, request, { signal })
    return bids.map(({ bid }) => ({ bid, roundTripMs: Math.round(node.roundTripMs ?? 0) }))
  }
  const bid = makeBid(world, request)
  return bid === undefined ? [] : [{ bid }]
}

/** All, or who runs it, who is named, and others by lot. */
function sample(world: World, request: BidRequest, live: readonly Neighbour[]): Neighbour[] {
  if (live.length <= MAX_ASKED) return [...live]
  const { nodes } = rulesOf(request.placement)
  const { manifestId } = request
  const running = new Set(
    manifestId === undefined ? [] : world.leased(manifestId).map(({ peerId }) => peerId)
  )
  const isWanted = ({ peerId, name }: Neighbour) =>
    running.has(peerId) || nodes.includes(peerId) || nodes.includes(name)
  const wanted = live.filter(isWanted).slice(0, MAX_ASKED)
  const others = live.filter((node) => !isWanted(node) && (node.scheduling || request.explain))
  for (let i = others.length - 1; i > 0; i--) {
    const j = Math.floor(world.random() * (i + 1))
    ;[others[i], others[j]] = [others[j]!, others[i]!]
  }
  return [...wanted, ...others].slice(0, MAX_ASKED)
}

/** A request for bids with a new number. */
export function capacityRequest(wanted: Omit<BidRequestInit, 'requestId'>): BidRequestInit {
  return { requestId: new Uint8Array(randomBytes(16)), ...wanted }
}
