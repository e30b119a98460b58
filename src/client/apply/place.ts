import type { Abortable } from '../../common/index.ts'
import { BID_LIST, decode } from '../../envelope/index.ts'
import { encodeCapacityRequest } from '../../generated/fbs/index.ts'
import { canonicalRules, type Manifest } from '../../manifest/index.ts'
import { type BidView, capacityRequest, openBid, type Plan, plan } from '../../scheduler/index.ts'
import type { Session } from '../connection/session.ts'
import type { SeenNode } from '../nodes.ts'
import { idOf } from './seal.ts'

/** Copies for one node. */
export interface Hand {
  readonly node: SeenNode
  readonly ordinals: readonly number[]
}

export interface Placed {
  readonly hands: readonly Hand[]
  /** What was planned now; copies that stay where they are are not in it. */
  readonly plan: Plan
  readonly asked: number
  readonly members: number
}

/**
 * Which nodes are to run which copies: asks the mesh for bids through the entry node and plans. Copies that run stay where they are while
 * their node may run them.
 */
export async function placeManifest(
  manifest: Manifest,
  {
    session,
    nodes,
    explain = false,
    signal
  }: { session: Session; nodes: readonly SeenNode[]; explain?: boolean } & Abortable
): Promise<Placed> {
  const { networkId } = session.connection
  const { id: manifestId } = idOf(session.key, networkId, manifest)
  const { placement: rules, resources: perCopy, engine, perNode } = manifest
  const request = capacityRequest({
    manifestId,
    owner: session.key.publicKey,
    ...perCopy,
    copies: manifest.replicas,
    engine,
    placement: canonicalRules(rules),
    explain
  })
  const byPeer = new Map(nodes.map((node) => [node.peerId, node]))
  const candidates: BidView[] = []
  let [asked, members] = [0, 0]
  const encode = (replyKey: Uint8Array) => encodeCapacityRequest({ request, replyKey })
  for await (const body of session.ask(session.entry, 'capacity', encode, { signal })) {
    const list = decode(BID_LIST, body)
    ;({ asked, members } = list)
    for (const { bid, roundTripMs } of list.bids) {
      const view = readBid(bid, { networkId, requestId: request.requestId, roundTripMs })
      // because whoever bids must be somebody that the content key may be sealed to
      if (view !== undefined && byPeer.get(view.peerId)?.member) candidates.push(view)
    }
  }
  const replicas = replicasOf(manifest, candidates)
  const nearLabels = nodes.find(({ entry }) => entry)?.labels
  const wanted = { rules, perCopy, engine, perNode }
  const staying = perNode ? stayingEverywhere(candidates) : stayingCopies(candidates, { ...wanted, replicas })
  const taken = new Set([...staying.values()].flat())
  const ordinals = Array.from({ length: perNode ? 0 : replicas }, (_, i) => i).filter((i) => !taken.has(i))
  const snapshot = {
    candidates: candidates.map((one) => ({ ...one, ordinals: staying.get(one.peerId) ?? [] })),
    nearLabels
  }
  const made = plan(snapshot, { ...wanted, ordinals: perNode ? [0] : ordinals }, Math.random)
  const byNode = new Map([...staying].map(([peerId, held]) => [peerId, [...held]]))
  for (const { peerId, ordinal } of made.assignments)
    byNode.set(peerId, [...(byNode.get(peerId) ?? []), ordinal])
  const hands = [...byNode].map(([peerId, own]) => ({
    node: byPeer.get(peerId)!,
    ordinals: own.sort((a, b) => a - b)
  }))
  return { hands, plan: made, asked, members }
}

/** How many copies there are to be: of what is scaled as many as run, within its bounds. */
function replicasOf({ autoscale, replicas }: Manifest, candidates: readonly BidView[]): number {
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
  {
    replicas,
    ...wanted
  }: Pick<Parameters<typeof plan>[1], 'rules' | 'perCopy' | 'engine' | 'perNode'> & {
    replicas: number
  }
): Map<string, number[]> {
  const staying = new Map<string, number[]>()
  const taken = new Set<number>()
  const perCopy = { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 } // what it runs it has room for
  const rules = { ...wanted.rules, apart: [], spread: [] }
  for (const candidate of candidates) {
    if (candidate.ordinals.length === 0) continue
    const roomy = { ...candidate, free: { ...candidate.free, pods: 1 }, ordinals: [] }
    const alone = plan({ candidates: [roomy] }, { ...wanted, rules, perCopy, ordinals: [0] }, () => 0)
    if (alone.unplaced.length > 0) continue
    const own = candidate.ordinals.filter((ordinal) => ordinal < replicas && !taken.has(ordinal))
    for (const ordinal of own) taken.add(ordinal)
    if (own.length > 0) staying.set(candidate.peerId, own)
  }
  return staying
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
