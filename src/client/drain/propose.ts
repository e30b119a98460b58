import { type BidView, plan } from '../../scheduler/index.ts'
import type { Wanted } from '../apply/place.ts'

/** A node must score so much higher than the one a copy is on. Chosen: above what the load of a moment is worth. */
const MIN_GAIN = 20
/** Scores as near as this are the same. Chosen: half of what the load of a moment is worth. */
const NOISE = 5
/** Copies of anything that a node must have more beside the one to be moved, where scores are the same. With less, copies would go to and fro. */
const MIN_MORE_PODS = 1

export interface Proposal {
  readonly ordinal: number
  /** Peer IDs. */
  readonly from: string
  readonly to: string
  readonly reason: string
}

/**
 * The next copy of a manifest that would better run elsewhere, planned as if it ran nowhere; undefined: all are where they belong. Pure.
 * @param bids as if what was proposed before were done
 */
export function proposeMove(wanted: Wanted, bids: readonly BidView[]): Proposal | undefined {
  for (const home of bids)
    for (const ordinal of home.ordinals) {
      const better = betterPlace(wanted, { bids, home, ordinal })
      if (better !== undefined) return { ordinal, from: home.peerId, ...better }
    }
  return undefined
}

function betterPlace(
  { rules, perCopy, engine, perNode }: Wanted,
  { bids, home, ordinal }: { bids: readonly BidView[]; home: BidView; ordinal: number }
): { to: string; reason: string } | undefined {
  const candidates = bids.map((one) => (one === home ? withoutCopy(one, ordinal, perCopy) : one))
  const request = { rules, perCopy, engine, perNode, ordinals: [ordinal] }
  const { explained } = plan({ candidates }, request, () => 0)
  const scores = new Map(
    explained.flatMap(({ peerId, score, verdict }) =>
      verdict === 'refused' || score === undefined ? [] : [[peerId, score] as const]
    )
  )
  const own = scores.get(home.peerId)
  const freePods = candidates.find(({ peerId }) => peerId === home.peerId)!.free.pods
  const others = candidates.flatMap((one) => {
    const score = scores.get(one.peerId)
    if (score === undefined || one.peerId === home.peerId) return []
    // where it is it may not be any more
    const gain = own === undefined ? Number.POSITIVE_INFINITY : score - own
    return [{ ...one, gain, more: one.free.pods - freePods }]
  })
  const isBetter = others
    .filter(({ gain }) => gain >= MIN_GAIN)
    .sort((a, b) => b.gain - a.gain || b.more - a.more)[0]
  if (isBetter !== undefined) {
    const { peerId: to, gain, name } = isBetter
    const reason =
      own === undefined ? `${home.name} may not run it any more` : `${name} scores ${Math.round(gain)} more`
    return { to, reason }
  }
  if (rules.strategy === 'binpack' || rules.strategy === 'manual') return undefined
  const isEmptier = others
    .filter(({ gain, more }) => gain > -NOISE && more >= MIN_MORE_PODS)
    .sort((a, b) => b.more - a.more)[0]
  return (
    isEmptier && {
      to: isEmptier.peerId,
      reason: `${home.name} runs ${isEmptier.more + 1} copies more than ${isEmptier.name}`
    }
  )
}

/** What the bids would be after a move. */
export function afterMove(
  bids: readonly BidView[],
  { ordinal, from, to }: Proposal,
  { perCopy }: Pick<Wanted, 'perCopy'>
): BidView[] {
  return bids.map((one) =>
    one.peerId === from
      ? withoutCopy(one, ordinal, perCopy)
      : one.peerId === to
        ? { ...withRoom(one, perCopy, -1), ordinals: [...one.ordinals, ordinal] }
        : one
  )
}

function withoutCopy(bid: BidView, ordinal: number, perCopy: Wanted['perCopy']): BidView {
  return { ...withRoom(bid, perCopy, 1), ordinals: bid.ordinals.filter((one) => one !== ordinal) }
}

/** @param copies that the room of is given back, or taken where it is negative */
export function withRoom(bid: BidView, perCopy: Wanted['perCopy'], copies: number): BidView {
  const { cpuMillis, memoryBytes, storageBytes, pods } = bid.free
  const free = {
    cpuMillis: cpuMillis + copies * perCopy.cpuMillis,
    memoryBytes: memoryBytes + copies * perCopy.memoryBytes,
    storageBytes: storageBytes + copies * perCopy.storageBytes,
    pods: pods + copies
  }
  return { ...bid, free }
}
