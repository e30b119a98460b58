import { toHex } from '../../common/index.ts'
import { rulesOf } from '../bids/bid.ts'
import { fitByWord } from '../bids/by-word.ts'
import type { CheckedRecord, Neighbour, World } from '../types.ts'

/** Nodes of a manifest that has a copy on every node, by peer ID. */
export interface NodesOf {
  /** Are to have one, if they have room. */
  readonly wanted: readonly string[]
  /** May keep the one that they run: one that is cordoned gets none, and stops none. */
  readonly kept: ReadonlySet<string>
}

/** By list of neighbours and record: a look asks several times, and the list may be of thousands. */
const known = new WeakMap<readonly Neighbour[], Map<string, NodesOf>>()

export function nodesFor(record: CheckedRecord, world: Pick<World, 'neighbours'>): NodesOf {
  const neighbours = world.neighbours()
  const byRecord = known.get(neighbours) ?? new Map<string, NodesOf>()
  known.set(neighbours, byRecord)
  const key = toHex(record.digest)
  const found = byRecord.get(key) ?? find(record, neighbours)
  byRecord.set(key, found)
  return found
}

function find({ placement, engine }: CheckedRecord, neighbours: readonly Neighbour[]): NodesOf {
  const rules = rulesOf(placement)
  const nodes = neighbours.filter(({ engines }) => engines.length > 0)
  const live = nodes.filter(({ state }) => state === 'alive' || state === 'suspect')
  return {
    wanted: [...fitByWord(live, rules, { engine }).keys()],
    kept: new Set(fitByWord(nodes, rules, { engine, lenient: true }).keys())
  }
}
