import type { Abortable } from '../../common/index.ts'
import { BID_LIST, decode } from '../../envelope/index.ts'
import { encodeCapacityRequest } from '../../generated/fbs/index.ts'
import { canonicalRules, type Manifest, type PlacementRules } from '../../manifest/index.ts'
import {
  type BidView,
  capacityRequest,
  openBid,
  type Plan,
  type PlanRequest,
  plan,
  seededRandom
} from '../../scheduler/index.ts'
import type { Session } from '../connection/session.ts'
import type { SeenNode } from '../nodes.ts'
import { idOf } from './seal.ts'

/** Copies for one node. */
export interface Hand {
  readonly node: SeenNode
  readonly ordinals: readonly number[]
}

/** What is to be placed: from a manifest, or from what its record shows in clear. */
export interface Wanted {
  readonly manifestId: Uint8Array
  readonly rules: PlacementRules
  readonly perCopy: PlanRequest['perCopy']
  readonly engine?: string | undefined
  readonly perNode: boolean
  readonly replicas: number
  /** Of what is scaled: its bounds. */
  readonly autoscale?: Manifest['autoscale']
}

export interface Placed {
  readonly hands: readonly Hand[]
  /** Copies that stay where they are, by peer ID; they are in the hands, too. */
  readonly staying: ReadonlyMap<string, readonly number[]>
  /** Copies that bidders run of it already, by peer ID, whether or not they stay. */
  readonly running: ReadonlyMap<string, readonly number[]>
  /** What was planned now; copies that stay where they are are not in it. */
  readonly plan: Plan
  /** What the plan was made from; with `requestId` as seed it can be repeated. */
  readonly candidates: readonly BidView[]
  /** Uint8Array(16) */
  readonly requestId: Uint8Array
  readonly asked: number
  readonly members: number
}

export interface PlaceOptions extends Abortable {
  readonly session: Session
  readonly nodes: readonly SeenNode[]
  /** Nodes that do not fit say why, too. @default false */
  readonly explain?: boolean
  /** Where nothing is to be placed, one copy more is planned. @default false */
  readonly oneMore?: boolean
}

export function wantedBy(manifest: Manifest, session: Session): Wanted {
  const { placement: rules, resources: perCopy, engine, perNode, replicas, autoscale } = manifest
  const { id: manifestId } = idOf(session.key, session.connection.networkId, manifest)
  return { manifestId, rules, perCopy, engine, perNode, replicas, autoscale }
}

/** Which nodes are to run which copies of a manifest, see {@link placeWanted}. */
export function placeManifest(manifest: Manifest, options: PlaceOptions): Promise<Placed> {
  return placeWanted(wantedBy(manifest, options.session), options)
}

/**
 * Which nodes are to run which copies: asks the mesh for bids through the entry node and plans. Copies that run stay where they are while
 * their node may run them.
 */
export async function placeWanted(wanted: Wanted, options: PlaceOptions): Promise<Placed> {
  const { nodes, oneMore = false } = options
  const { perNode } = wanted
  const { bids, ...asked } = await askForBids(wanted, options)
  const replicas = replicasOf(wanted, bids)
  const staying = perNode ? stayingEverywhere(bids) : stayingCopies(bids, { ...wanted, replicas })
  const taken = new Set([...staying.values()].flat())
  const missing = Array.from({ length: perNode ? 0 : replicas }, (_, i) => i).filter((i) => !taken.has(i))
  const ordinals = perNode ? [0] : missing.length === 0 && oneMore ? [replicas] : missing
  const candidates = bids.map((one) => ({ ...one, ordinals: staying.get(one.peerId) ?? [] }))
  const nearLabels = nodes.find(({ entry }) => entry)?.labels
  const made = plan({ candidates, nearLabels }, { ...wanted, ordinals }, seededRandom(asked.requestId))
  const byNode = new Map([...staying].map(([peerId, held]) => [peerId, [...held]]))
  for (const { peerId, ordinal } of made.assignments)
    byNode.set(peerId, [...(byNode.get(peerId) ?? []), ordinal])
  const hands = [...byNode].map(([peerId, own]) => ({
    node: nodes.find((node) => node.peerId === peerId)!,
    ordinals: own.sort((a, b) => a - b)
  }))
  const running = new Map(
    bids.flatMap((one) => (one.ordinals.length > 0 ? [[one.peerId, one.ordinals]] : []))
  )
  return { hands, staying, running, plan: made, candidates, ...asked }
}

/** The bids of members, each checked. */
export async function askForBids(
  { manifestId, rules, perCopy, engine, replicas }: Wanted,
  { session, nodes, explain = false, signal }: PlaceOptions
): Promise<{ bids: BidView[]; requestId: Uint8Array; asked: number; members: number }> {
  const { networkId } = session.connection
  const request = capacityRequest({
    manifestId,
    owner: session.key.publicKey,
    ...perCopy,
    copies: replicas,
    engine,
    placement: canonicalRules(rules),
    explain
  })
  const { requestId } = request
  const byPeer = new Map(nodes.map((node) => [node.peerId, node]))
  const bids: BidView[] = []
  let [asked, members] = [0, 0]
  const encode = (replyKey: Uint8Array) => encodeCapacityRequest({ request, replyKey })
  for await (const body of session.ask(session.entry, 'capacity', encode, { signal })) {
    const list = decode(BID_LIST, body)
    ;({ asked, members } = list)
    for (const { bid, roundTripMs } of list.bids) {
      const view = readBid(bid, { networkId, requestId, roundTripMs })
      // because whoever bids must be somebody that the content key may be sealed to
      if (view !== undefined && byPeer.get(view.peerId)?.member) bids.push(view)
    }
  }
  return { bids, requestId, asked, members }
}

/** How many copies there are to be: of what is scaled as many as run, within its bounds. */
function replicasOf({ autoscale, replicas }: Wanted, candidates: readonly BidView[]): number {
  if (autoscale === undefined || replicas === 0) return replicas
  const highest = Math.max(-1, ...candidates.flatMap(({ ordinals }) => ordinals))
  return Math.min(
    autoscale.maxReplicas,
    Math.max(autoscale.minReplicas, highest < 0 ? replicas : highest + 1)
  )
}

/** Copies that run and may stay: the first holder of each number whose node still may run it. */
function stayingCopies(
  candidates: readonly BidView[],
  { replicas, ...wanted }: Wanted
): Map<string, number[]> {
  const staying = new Map<string, number[]>()
  const taken = new Set<number>()
  for (const candidate of candidates) {
    if (candidate.ordinals.length === 0 || !mayStay(candidate, wanted)) continue
    const own = candidate.ordinals.filter((ordinal) => ordinal < replicas && !taken.has(ordinal))
    for (const ordinal of own) taken.add(ordinal)
    if (own.length > 0) staying.set(candidate.peerId, own)
  }
  return staying
}

/** Whether the rules let a node go on with what it runs; for that it has room. */
export function mayStay(
  candidate: BidView,
  { rules, engine, perNode }: Pick<Wanted, 'rules' | 'engine' | 'perNode'>
): boolean {
  const perCopy = { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 }
  const roomy = { ...candidate, free: { ...candidate.free, pods: 1 }, ordinals: [] }
  const request = {
    rules: { ...rules, apart: [], spread: [] },
    engine,
    perNode,
    perCopy,
    ordinals: [0]
  }
  return plan({ candidates: [roomy] }, request, () => 0).unplaced.length === 0
}

function stayingEverywhere(candidates: readonly BidView[]): Map<string, number[]> {
  return new Map(candidates.filter(({ ordinals }) => ordinals.length > 0).map(({ peerId }) => [peerId, [0]]))
}

function readBid(bid: Uint8Array, context: Parameters<typeof openBid>[1]): BidView | undefined {
  try {
    return openBid(bid, context)
  } catch {
    return undefined // because the entry node passes on what others say; what does not verify was not said
  }
}
