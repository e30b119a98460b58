import { type Abortable, withDeadline } from '../../common/index.ts'
import type { Manifest } from '../../manifest/index.ts'
import type { Plan } from '../../scheduler/index.ts'
import type { Session } from '../connection/session.ts'
import { ClientError } from '../errors.ts'
import { fetchHoldings } from '../holders.ts'
import type { SeenNode } from '../nodes.ts'
import type { Placement } from '../types.ts'
import { type Placed, placeManifest } from './place.ts'
import { failedPlacement } from './placement.ts'
import { idOf } from './seal.ts'

export type ChosenNode = SeenNode & { readonly hints?: readonly string[] }

export interface DealOptions extends Abortable {
  readonly session: Session
  /** Every node that is known. */
  readonly nodes: readonly SeenNode[]
  /** Those that take copies, in turn; none: the mesh is asked. */
  readonly to: readonly ChosenNode[]
}

/** Copies dealt out in turn: with nodes a, b and three copies, a takes 0 and 2, b takes 1. Nodes left without are left out. */
export function dealCopies<T>(replicas: number, nodes: readonly T[]): { node: T; ordinals: number[] }[] {
  const hands = nodes.map((node) => ({ node, ordinals: [] as number[] }))
  for (let ordinal = 0; ordinal < replicas; ordinal++) hands[ordinal % hands.length]!.ordinals.push(ordinal)
  return replicas === 0 ? hands.slice(0, 1) : hands.filter(({ ordinals }) => ordinals.length > 0)
}

export interface Dealt {
  readonly hands: readonly { readonly node: ChosenNode; readonly ordinals: readonly number[] }[]
  readonly unplaced: Placement[]
  /** Peer IDs of nodes that run it already. */
  readonly running: { has(peerId: string): boolean }
  /** What its owner had better know, though nothing failed. */
  readonly note?: string | undefined
}

/** Which node gets which copies: as the owner named them, or as the mesh bids. What fits nowhere is in the result. */
export async function deal(manifest: Manifest, options: DealOptions): Promise<Dealt> {
  const { session, nodes, to, signal } = options
  if (to.length > 0)
    return {
      running: await runningOn(to, manifest, { session, signal }),
      hands: manifest.perNode
        ? to.map((node) => ({ node, ordinals: [0] }))
        : dealCopies(manifest.replicas, to),
      unplaced: []
    }
  const { perNode } = manifest
  // because of a node that matches and is full its owner is to hear
  const placed = await placeManifest(manifest, { session, nodes, explain: perNode, signal })
  const { hands, running, plan } = placed
  const unplaced =
    plan.unplaced.length === 0
      ? []
      : notPlaced(plan, perNode ? plan.summary : await whyNot(manifest, options))
  const note = perNode ? noteOf(placed) : undefined
  if (hands.length > 0 || unplaced.length > 0) return { hands, unplaced, running, note }
  // a manifest without copies: those that run some stop them, and where nobody does somebody must keep it all the same
  const stopping = nodes.filter(({ peerId }) => running.has(peerId))
  const told = stopping.length > 0 ? stopping : nodes.filter(({ entry }) => entry)
  return { hands: told.map((node) => ({ node, ordinals: [] })), unplaced, running, note }
}

function notPlaced({ unplaced }: Plan, why: string): Placement[] {
  const hint = 'See what was said of each node with "beemesh apply --dry-run", or name nodes with --to.'
  const error = new ClientError('NOTHING_FITS', why, { retryable: true, hint })
  return unplaced.map((ordinal) => failedPlacement(NOBODY, ordinal, error))
}

/** Nodes that do not fit have said nothing so far: now they are asked why. */
async function whyNot(manifest: Manifest, { session, nodes, signal }: DealOptions): Promise<string> {
  const { plan } = await placeManifest(manifest, { session, nodes, explain: true, signal })
  return plan.summary === '' ? 'no node bid for it in time' : plan.summary
}

/** Of a manifest with a copy on every node. */
function noteOf({ hands, plan, asked, members }: Placed): string | undefined {
  if (hands.length === 0 && plan.unplaced.length === 0)
    return `${plan.summary}; nodes that match get it when they join`
  const others = members - asked
  if (others > 0) return `${others} more nodes were not asked: those that match get it from its keepers`
  return undefined
}

async function runningOn(
  nodes: readonly ChosenNode[],
  manifest: Manifest,
  { session, signal }: Pick<DealOptions, 'session' | 'signal'>
): Promise<Set<string>> {
  const { id } = idOf(session.key, session.connection.networkId, manifest)
  // a node that hangs is found out when it is asked to run something; until then it counts as one that runs nothing
  const limit = withDeadline(RUNNING_TIMEOUT_MS, signal)
  const asked = nodes.map((node) =>
    fetchHoldings(session, [node], { manifestIds: [id], signal: limit }).catch(() => [])
  )
  signal?.throwIfAborted()
  const holdings = (await Promise.all(asked)).flat()
  const runs = holdings.filter(({ manifests }) => manifests.some(({ workloads }) => workloads.length > 0))
  return new Set(runs.map(({ node }) => node.peerId))
}

/** Which of the named nodes run it already. Chosen: a round trip, and room for a busy machine. */
const RUNNING_TIMEOUT_MS = 1_000

/** In place of a node, of a copy that none takes. */
const NOBODY = { peerId: '', name: '-' }
