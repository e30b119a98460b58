import type { Abortable } from '../../common/index.ts'
import { formatManifestId, type Manifest } from '../../manifest/index.ts'
import { type Explained, formatPlan, type Plan } from '../../scheduler/index.ts'
import type { Session } from '../connection/session.ts'
import type { SeenNode } from '../nodes.ts'
import { dealCopies } from './deal.ts'
import { type Placed, placeWanted, type Wanted, wantedBy } from './place.ts'

export interface PlannedCopy {
  readonly ordinal: number
  readonly peerId: string
  readonly node: string
}

/** Where copies would run, and what every node that answered says to it. Nothing was changed. */
export interface PlanView {
  readonly manifestId: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
  readonly replicas: number
  /** Copies that run and stay where they are. */
  readonly staying: readonly PlannedCopy[]
  readonly placed: readonly (PlannedCopy & { readonly reason: string })[]
  /** Numbers of copies that find no node. */
  readonly unplaced: readonly number[]
  /** Nothing is missing: the plan is for one copy more. */
  readonly oneMore?: boolean
  /** Why something is unplaced; empty when all is placed. */
  readonly summary: string
  readonly nodes: readonly Explained[]
  /** Nodes that were asked, of so many members. */
  readonly asked: number
  readonly members: number
  /** Hexadecimal; the seed of the plan's random numbers. */
  readonly requestId?: string
  /** Signed objects of kind bid, base64: from them and the seed anybody can repeat the plan. */
  readonly bids: readonly string[]
}

export interface PlanOptions extends Abortable {
  readonly session: Session
  readonly nodes: readonly SeenNode[]
  readonly oneMore?: boolean
}

type Named = Pick<PlanView, 'kind' | 'name' | 'namespace'>

/** What an apply would do. @param to nodes that its owner names; then nobody is asked */
export async function planManifest(
  manifest: Manifest,
  { to, ...options }: PlanOptions & { readonly to: readonly SeenNode[] }
): Promise<PlanView> {
  const wanted = wantedBy(manifest, options.session)
  if (to.length === 0) return planWanted(wanted, manifest, options)
  const hands = manifest.perNode
    ? to.map((node) => ({ node, ordinals: [0] }))
    : dealCopies(manifest.replicas, to)
  const placed = hands.flatMap(({ node, ordinals }) =>
    ordinals.map((ordinal) => ({
      ordinal,
      peerId: node.peerId,
      node: node.name,
      reason: 'named by its owner'
    }))
  )
  const nothing = { staying: [], unplaced: [], summary: '', nodes: [], asked: 0, members: 0, bids: [] }
  return { ...named(wanted, manifest), ...nothing, placed }
}

export async function planWanted(wanted: Wanted, of: Named, options: PlanOptions): Promise<PlanView> {
  const placed = await placeWanted(wanted, { ...options, explain: true })
  return toView(wanted, of, placed)
}

function toView(
  wanted: Wanted,
  of: Named,
  { staying, plan, candidates, requestId, asked, members }: Placed
): PlanView {
  const nameOf = new Map(candidates.map(({ peerId, name }) => [peerId, name]))
  const copy = (peerId: string, ordinal: number) => ({ ordinal, peerId, node: nameOf.get(peerId) ?? '-' })
  return {
    ...named(wanted, of),
    staying: [...staying]
      .flatMap(([peerId, ordinals]) => ordinals.map((ordinal) => copy(peerId, ordinal)))
      .sort((a, b) => a.ordinal - b.ordinal),
    placed: plan.assignments.map(({ peerId, ordinal, reason }) => ({ ...copy(peerId, ordinal), reason })),
    unplaced: plan.unplaced,
    oneMore: isOneMore(wanted, plan) || undefined,
    summary: plan.summary,
    nodes: plan.explained,
    asked,
    members,
    requestId: Buffer.from(requestId).toString('hex'),
    bids: candidates.map(({ bid }) => Buffer.from(bid).toString('base64'))
  }
}

function isOneMore({ replicas, perNode }: Wanted, { assignments, unplaced }: Plan): boolean {
  return !perNode && [...assignments.map(({ ordinal }) => ordinal), ...unplaced].includes(replicas)
}

function named({ manifestId, replicas }: Wanted, { kind, name, namespace }: Named) {
  return { manifestId: formatManifestId(manifestId), kind, name, namespace, replicas }
}

/** A plan as people read it. */
export function describePlan({ kind, name, replicas, staying, oneMore, ...plan }: PlanView): string {
  const { placed, unplaced, nodes, summary, asked, members } = plan
  const copies = `${replicas} ${replicas === 1 ? 'copy' : 'copies'}`
  const stay = staying.map(({ ordinal, node }) => `  copy ${ordinal} stays on ${node}`)
  const head = `${kind.toLowerCase()}/${name}: ${copies}`
  if (asked === 0)
    return [head, ...placed.map(({ ordinal, node }) => `  copy ${ordinal} on ${node}, as named`)].join('\n')
  const more = oneMore ? ['  nothing is missing; this is where one copy more would go:'] : []
  const table = formatPlan({ assignments: placed, unplaced, explained: nodes, summary })
  const lines = table.split('\n').map((line) => `  ${line}`)
  return [`${head}; ${asked} of ${members} members asked`, ...stay, ...more, ...lines].join('\n')
}
