import { rulesOf } from '../bids/bid.ts'
import { fitByWord } from '../bids/by-word.ts'
import type { CheckedRecord, World } from '../types.ts'

/** Nodes of a manifest that has a copy on every node, by peer ID. */
export interface NodesOf {
  /** Are to have one, if they have room. */
  readonly wanted: readonly string[]
  /** May keep the one that they run: one that is cordoned gets none, and stops none. */
  readonly kept: ReadonlySet<string>
}

export function nodesFor(record: CheckedRecord, world: Pick<World, 'neighbours'>): NodesOf {
  const rules = rulesOf(record.placement)
  const { engine } = record
  const nodes = world.neighbours().filter(({ engines }) => engines.length > 0)
  const live = nodes.filter(({ state }) => state === 'alive' || state === 'suspect')
  return {
    wanted: [...fitByWord(live, rules, { engine }).keys()],
    kept: new Set(fitByWord(nodes, rules, { engine, lenient: true }).keys())
  }
}
