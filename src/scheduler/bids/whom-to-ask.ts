import type { BidRequest } from '../../generated/fbs/index.ts'
import {
  HOSTNAME_LABEL,
  nodeLabelsOf,
  type PlacementRules,
  REGION_LABEL,
  ZONE_LABEL
} from '../../manifest/index.ts'
import { MAX_ASKED } from '../constants.ts'
import type { Neighbour } from '../types.ts'
import { fitByWord } from './by-word.ts'

export interface AskedOf {
  readonly rules: PlacementRules
  readonly request: Pick<BidRequest, 'engine' | 'explain'>
  /** Peer IDs of who runs the manifest. */
  readonly running: ReadonlySet<string>
  readonly random: () => number
}

export interface Asked {
  /** In this order. */
  readonly nodes: readonly Neighbour[]
  /** How many of them at once; the others are asked when those bid too little. */
  readonly first: number
}

/**
 * Whom to ask for bids. All of a small mesh. Of a large one first who runs the manifest and who is named, then others, by lot, but only those
 * that by their own word may take a copy, those that the manifest prefers before the rest, and from each place in turn: so that a constraint
 * that few nodes meet is met all the same, and a small zone gets its share.
 */
export function whomToAsk(live: readonly Neighbour[], { rules, request, running, random }: AskedOf): Asked {
  if (live.length <= MAX_ASKED) return { nodes: live, first: live.length }
  const { nodes: named } = rules
  const isFirst = ({ peerId, name }: Neighbour) =>
    running.has(peerId) || named.includes(peerId) || named.includes(name)
  const [before, others] = partition(live, isFirst)
  // because nodes that cannot take a copy still are of a place that copies are spread over
  const countable = fitByWord(others, rules, { lenient: true })
  const fitting = fitByWord(others, rules, request)
  const drawn = shuffled(others, random)
  const score = ({ peerId }: Neighbour) => fitting.get(peerId) ?? Number.NEGATIVE_INFINITY
  const [fit, unfit] = partition(drawn, ({ peerId }) => fitting.has(peerId))
  const [counted, useless] = partition(unfit, ({ peerId }) => countable.has(peerId))
  const placeOf = placesOf(rules)
  const inPlaces = request.explain ? [...fit, ...counted] : fit
  const nodes = [
    ...before,
    ...inTurn(
      inPlaces.toSorted((a, b) => compare(score(b), score(a))),
      placeOf
    ),
    ...(request.explain ? useless : [])
  ]
  return { nodes, first: before.length + MAX_ASKED }
}

/** The values of all labels that copies are spread over or kept apart by, its zone and region among them. */
function placesOf({ spread, apart }: PlacementRules): (node: Neighbour) => string {
  const keys = new Set([
    REGION_LABEL,
    ZONE_LABEL,
    ...[...spread, ...apart].map(({ topologyKey }) => topologyKey)
  ])
  keys.delete(HOSTNAME_LABEL) // each is its own
  return (node) => {
    const labels = nodeLabelsOf(node)
    return JSON.stringify([...keys].map((key) => (Object.hasOwn(labels, key) ? labels[key] : null)))
  }
}

/** The first of each place, then the second of each, and so on. */
function inTurn(nodes: readonly Neighbour[], placeOf: (node: Neighbour) => string): Neighbour[] {
  const turns = new Map<string, number>()
  const dealt = nodes.map((node) => {
    const place = placeOf(node)
    const turn = turns.get(place) ?? 0
    turns.set(place, turn + 1)
    return { node, turn }
  })
  return dealt.sort((a, b) => a.turn - b.turn).map(({ node }) => node)
}

function shuffled(nodes: readonly Neighbour[], random: () => number): Neighbour[] {
  const drawn = [...nodes]
  for (let i = drawn.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[drawn[i], drawn[j]] = [drawn[j]!, drawn[i]!]
  }
  return drawn
}

function partition<T>(all: readonly T[], has: (one: T) => boolean): [T[], T[]] {
  return [all.filter(has), all.filter((one) => !has(one))]
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1
}
