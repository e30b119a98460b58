import { rulesOf } from '../bids/bid.ts'
import { asCandidate } from '../bids/whom-to-ask.ts'
import { plan } from '../plan/index.ts'
import type { CheckedRecord, World } from '../types.ts'

/** Of a manifest with a copy on every node: those that are to have one, if they have room. */
export function nodesFor(record: CheckedRecord, world: Pick<World, 'neighbours'>): string[] {
  const rules = rulesOf(record.placement)
  const perCopy = { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 }
  const candidates = world
    .neighbours()
    .filter(({ state, engines }) => engines.length > 0 && (state === 'alive' || state === 'suspect'))
    .map(asCandidate)
  const request = { rules, perCopy, engine: record.engine, ordinals: [0], perNode: true }
  return plan({ candidates }, request, () => 0).assignments.map(({ peerId }) => peerId)
}
