import { randomBytes } from 'node:crypto'
import { isBeemeshError, withDeadline } from '../../common/index.ts'
import type { BidEntryInit, BidRequest, BidRequestInit } from '../../generated/fbs/index.ts'
import { MAX_ASKED, MAX_SELECTION_WINDOW_MS, SELECTION_WINDOW_MS } from '../constants.ts'
import type { Neighbour, World } from '../types.ts'
import { type BidView, makeBid, openBid, rulesOf } from './bid.ts'
import { whomToAsk } from './whom-to-ask.ts'

export interface Collected {
  /** Checked, each of the node that was asked. */
  readonly bids: readonly (BidEntryInit & { readonly view: BidView })[]
  readonly asked: number
  /** Members that could have been asked. */
  readonly members: number
}

export interface CollectOptions {
  readonly signal: AbortSignal
  /** Who may be asked at all. @default all that live */
  readonly among?: (node: Neighbour) => boolean
  /** Of a large mesh who runs the manifest is looked for; else whose lease is known here are asked. @default false */
  readonly search?: boolean
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
 * wanted and most have answered; later, when there are fewer, but not much. Of a large mesh some are asked, and while too few of these would
 * take a copy, others.
 */
export async function collectBids(
  world: World,
  request: BidRequest,
  { signal, among = () => true, search = false }: CollectOptions
): Promise<Collected> {
  const live = world
    .neighbours()
    .filter((node) => (node.state === 'alive' || node.state === 'suspect') && among(node))
  const stop = new AbortController()
  const collecting = new Collecting(world, request, live, AbortSignal.any([signal, stop.signal]))
  await collecting.run(search && live.length > MAX_ASKED)
  stop.abort()
  return { bids: [...collecting.bids], asked: collecting.asked, members: live.length }
}

class Collecting {
  readonly bids: Collected['bids'][number][] = []
  asked = 0
  readonly #world: World
  readonly #request: BidRequest
  readonly #signal: AbortSignal
  readonly #live: readonly Neighbour[]
  readonly #waiting: Neighbour[]
  readonly #first: number
  /** Peer IDs. */
  readonly #askedOf = new Set<string>()
  readonly #done = Promise.withResolvers<void>()
  /** What is waited for. */
  #open = 0
  #answered = 0
  #isSearching = false
  /** Copies that those who have answered run already, and one for each that would take one. */
  #room = 0

  constructor(world: World, given: BidRequest, live: readonly Neighbour[], signal: AbortSignal) {
    const rules = rulesOf(given.placement)
    // because full and cordoned nodes count where copies are to be spread over places
    const request = { ...given, explain: given.explain || rules.spread.length > 0 }
    const { manifestId } = request
    const leases = manifestId === undefined ? [] : world.leased(manifestId)
    const running = new Set(leases.map(({ peerId }) => peerId))
    const { nodes, first } = whomToAsk(live, { rules, request, running, random: world.random })
    this.#world = world
    this.#request = request
    this.#signal = signal
    this.#live = live
    this.#waiting = [...nodes]
    this.#first = Math.min(first, MAX_BIDS)
  }

  /** @param search because a lease may be unknown here, and copies are to stay where they are */
  async run(search: boolean): Promise<void> {
    const { manifestId } = this.#request
    this.#askMore(this.#first)
    if (search && manifestId !== undefined) this.#await(this.#askRunning(manifestId))
    if (this.#open > 0) await Promise.race([this.#done.promise, this.#window().catch(() => {})])
  }

  async #window(): Promise<void> {
    const delay = () => this.#world.delay(SELECTION_WINDOW_MS, { signal: this.#signal })
    await delay()
    for (let waited = SELECTION_WINDOW_MS; waited < MAX_SELECTION_WINDOW_MS; waited += SELECTION_WINDOW_MS) {
      const haveMost = !this.#isSearching && this.#answered >= this.asked * ENOUGH_SHARE
      if (haveMost && this.#isEnough()) return
      if (haveMost) this.#askMore()
      await delay()
    }
  }

  #isEnough(): boolean {
    return this.#room >= Math.max(1, this.#request.copies)
  }

  #askMore(count = MAX_ASKED): void {
    if (this.bids.length >= MAX_BIDS) return
    for (const node of this.#waiting.splice(0, count)) this.#askOnce(node)
  }

  async #askRunning(manifestId: Uint8Array): Promise<void> {
    const signal = withDeadline(searchMs(this.#live), this.#signal)
    this.#isSearching = true
    const found = await this.#world.find(manifestId, { signal }).finally(() => {
      this.#isSearching = false
    })
    const runs = new Set(found.map(({ peerId }) => peerId))
    for (const node of this.#live) if (runs.has(node.peerId)) this.#askOnce(node)
  }

  #askOnce(node: Neighbour): void {
    if (this.#askedOf.has(node.peerId) || this.#signal.aborted) return
    this.#askedOf.add(node.peerId)
    this.asked++
    const asked = this.#ask(node).catch((error: unknown) => {
      // because who does not answer does not bid, nor does who answers what is no bid of its own
      if (isBeemeshError(error)) this.#world.log('%s does not bid: %s', node.name, error.code)
    })
    this.#await(asked.finally(() => this.#answered++))
  }

  #await(part: Promise<void>): void {
    this.#open++
    void part
      .catch(() => {}) // because who was not found is taken for one that runs nothing
      .finally(() => {
        this.#open--
        if (this.#open === 0 && !this.#isEnough()) this.#askMore()
        if (this.#open === 0) this.#done.resolve()
      })
  }

  async #ask(node: Neighbour): Promise<void> {
    const entry = await this.#bidOf(node)
    if (entry === undefined || this.#signal.aborted) return
    const { networkId } = this.#world
    const { requestId } = this.#request
    const view = openBid(entry.bid, { networkId, requestId, roundTripMs: entry.roundTripMs ?? 0 })
    if (view?.peerId !== node.peerId || !this.#hasPlaceFor(view)) return
    this.#room += view.ordinals.length + (view.refusals.length === 0 ? 1 : 0)
    this.bids.push({ ...entry, view })
  }

  /** Who runs it goes before who does not. */
  #hasPlaceFor({ ordinals }: BidView): boolean {
    if (this.bids.length < MAX_BIDS) return true
    const other = this.bids.findIndex(({ view }) => view.ordinals.length === 0)
    if (ordinals.length === 0 || other === -1) return false
    this.bids.splice(other, 1)
    return true
  }

  async #bidOf(node: Neighbour): Promise<BidEntryInit | undefined> {
    if (node.self) {
      const bid = makeBid(this.#world, this.#request)
      return bid && { bid }
    }
    const { bids } = await this.#world.asks.bid(node.peerId, this.#request, { signal: this.#signal })
    const [first] = bids
    return first && { bid: first.bid, roundTripMs: Math.round(node.roundTripMs ?? 0) }
  }
}

/** For a search: who runs it is named by its keepers, and answers itself, with a head start for the first of them. */
function searchMs(nodes: readonly Neighbour[]): number {
  const known = nodes.flatMap(({ roundTripMs }) => roundTripMs ?? []).sort((a, b) => a - b)
  const roundTripMs = known[Math.floor(known.length / 2)] ?? 0
  return Math.min(MAX_SELECTION_WINDOW_MS / 2, Math.max(SELECTION_WINDOW_MS, 4 * roundTripMs))
}

/** A request for bids with a new number. */
export function capacityRequest(wanted: Omit<BidRequestInit, 'requestId'>): BidRequestInit {
  return { requestId: new Uint8Array(randomBytes(16)), ...wanted }
}
