import { rulesOf } from '../bids/bid.ts'
import { plan } from '../plan/index.ts'
import type { CheckedRecord, World } from '../types.ts'

/** What a node has is not asked when it is only about which nodes are meant. */
const ROOM = { cpuMillis: 1, memoryBytes: 1, storageBytes: 1, pods: 1 }

/** Of a manifest with a copy on every node: those that are to have one, if they have room. */
export function nodesFor(record: CheckedRecord, world: Pick<World, 'neighbours'>): string[] {
  const rules = rulesOf(record.placement)
  const perCopy = { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 }
  const candidates = world
    .neighbours()
    .filter(({ state, engines }) => engines.length > 0 && (state === 'alive' || state === 'suspect'))
    .map((node) => ({ ...node, free: ROOM, allocatable: ROOM, load: 0, reliability: 1, ordinals: [] }))
  const request = { rules, perCopy, engine: record.engine, ordinals: [0], perNode: true }
  return plan({ candidates }, request, () => 0).assignments.map(({ peerId }) => peerId)
}
