import type { Abortable } from '../../common/index.ts'
import { type BidView, rulesOf } from '../../scheduler/index.ts'
import { askForBids, type Wanted } from '../apply/place.ts'
import type { Client } from '../client.ts'
import { byManifest, fetchHoldings, type HeldManifest } from '../holders.ts'
import type { SeenNode } from '../nodes.ts'
import { fetchRecord } from '../own/fetch.ts'
import { type MovedView, moveFrom } from './drain.ts'
import { afterMove, type Proposal, proposeMove, withRoom } from './propose.ts'

/** Copies moved by one command unless told otherwise. Chosen: what a person can look over. */
export const DEFAULT_MAX_MOVES = 10

export interface MoveView {
  readonly manifestId: string
  /** kind/name. */
  readonly name: string
  readonly ordinal: number
  readonly from: string
  readonly fromName: string
  readonly to: string
  readonly toName: string
  readonly reason: string
}

export interface RebalanceOptions extends Abortable {
  /** @default {@link DEFAULT_MAX_MOVES} */
  readonly maxMoves?: number
  readonly timeoutMs?: number
  readonly onStep?: (step: MovedView) => void
}

interface Planned extends Proposal {
  readonly held: HeldManifest
  readonly wanted: Wanted
}

/** What would better run elsewhere, as if every copy were free to move. Nothing is changed. */
export async function planRebalance(
  client: Client,
  { maxMoves = DEFAULT_MAX_MOVES, signal }: RebalanceOptions = {}
): Promise<MoveView[]> {
  const nodes = await client.nodes({ signal })
  return (await propose(client, nodes, { maxMoves, signal })).map((one) => toView(one, nodes))
}

/** Moves what {@link planRebalance} proposes: each copy runs at its new node before it stops. @returns what became of each */
export async function rebalance(
  client: Client,
  { maxMoves = DEFAULT_MAX_MOVES, timeoutMs, onStep, signal }: RebalanceOptions = {}
): Promise<{ moves: MoveView[]; copies: MovedView[] }> {
  const nodes = await client.nodes({ signal })
  const planned = await propose(client, nodes, { maxMoves, signal })
  const copies: MovedView[] = []
  for (const [from, own] of Map.groupBy(planned, (one) => one.from)) {
    const moves = own.map(({ held, ordinal, to }) => ({
      manifestId: held.manifest.manifestId,
      ordinals: [ordinal],
      to: nodeOf(nodes, to).publicKey
    }))
    const done = await moveFrom(client, nodeOf(nodes, from), { moves, timeoutMs, onStep, signal })
    copies.push(...done.copies)
  }
  return { moves: planned.map((one) => toView(one, nodes)), copies }
}

async function propose(
  client: Client,
  nodes: readonly SeenNode[],
  { maxMoves, signal }: { maxMoves: number } & Abortable
): Promise<Planned[]> {
  const { session } = client
  const holdings = await fetchHoldings(session, nodes, { signal })
  const planned: Planned[] = []
  for (const held of byManifest(holdings).sort((a, b) => (a.id < b.id ? -1 : 1))) {
    if (planned.length >= maxMoves) break
    const wanted = await movable(client, held, { signal })
    if (wanted === undefined) continue
    const { bids } = await askForBids(wanted, { session, nodes, signal })
    let now: readonly BidView[] = bids.map((bid) => withPlanned(bid, planned))
    for (let next = proposeMove(wanted, now); next !== undefined; next = proposeMove(wanted, now)) {
      planned.push({ ...next, held, wanted })
      now = afterMove(now, next, wanted)
      // each copy once: where it would be moved twice the scores go round in circles
      const isMoved = (bid: BidView) => planned.some((one) => one.held === held && one.to === bid.peerId)
      if (planned.length >= maxMoves || now.every((bid) => bid.ordinals.length === 0 || isMoved(bid))) break
      if (planned.filter((one) => one.held === held).length >= wanted.replicas) break
    }
  }
  return planned
}

/** What may be moved; undefined: it is not a service, belongs to its nodes, or is to be together as a whole. */
async function movable(
  { session }: Client,
  held: HeldManifest,
  { signal }: Abortable
): Promise<Wanted | undefined> {
  if (!held.holders.some(({ status }) => status.workloads.length > 0)) return undefined
  const record = await fetchRecord(session, held, { signal })
  const { cpuMillis, memoryBytes, storageBytes, engine, perNode, replicas } = record
  if (perNode || record.lifetime !== 'service' || record.onNodeLoss === 'keep') return undefined
  const rules = rulesOf(record.placement)
  if (rules.strategy === 'datacenter') return undefined
  const { manifestId } = held.manifest
  return { manifestId, rules, perCopy: { cpuMillis, memoryBytes, storageBytes }, engine, perNode, replicas }
}

/** Room as it would be after moves of other manifests. */
function withPlanned(bid: BidView, planned: readonly Planned[]): BidView {
  return planned.reduce((now, { from, to, wanted: { perCopy } }) => {
    if (from === bid.peerId) return withRoom(now, perCopy, 1)
    return to === bid.peerId ? withRoom(now, perCopy, -1) : now
  }, bid)
}

function nodeOf(nodes: readonly SeenNode[], peerId: string): SeenNode {
  return nodes.find((node) => node.peerId === peerId)!
}

function toView({ held, ordinal, from, to, reason }: Planned, nodes: readonly SeenNode[]): MoveView {
  const { kind, name } = held.manifest
  return {
    manifestId: held.id,
    name: `${kind.toLowerCase()}/${name}`,
    ordinal,
    from,
    fromName: nodeOf(nodes, from).name,
    to,
    toName: nodeOf(nodes, to).name,
    reason
  }
}
