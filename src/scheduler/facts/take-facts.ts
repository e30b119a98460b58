import { equalBytes } from '../../common/index.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import type { CheckedRecord, World } from '../types.ts'
import type { Fact } from './fact.ts'
import { mergeFacts } from './fact-table.ts'
import { openFact } from './prove.ts'

interface Given {
  readonly facts: readonly { readonly value: Uint8Array }[]
}

/**
 * Takes what nodes said of their parts of a Job that is kept here; each is believed of itself. Durable when it resolves.
 * @param record that came along; facts about other versions than this and the one kept here are left out
 * @throws EnvelopeError, SchedulerError
 */
export async function takeFacts(
  world: World,
  kept: KeptTable,
  { record, given }: { record: CheckedRecord; given: Given }
): Promise<void> {
  if (given.facts.length === 0 || kept.get(record.manifestId) === undefined) return
  await kept.facts.take(record.manifestId, newFacts(world, kept, { record, given }))
}

/** All that is known of a manifest, for another node. */
export function giveFacts({ facts }: KeptTable, manifestId: Uint8Array): { value: Uint8Array }[] {
  return facts.of(manifestId).map(({ bytes: value }) => ({ value }))
}

/** What another node passed on with a record and what is known here, together. @throws EnvelopeError, SchedulerError */
export function allFacts(
  world: World,
  kept: KeptTable,
  { record, given }: { record: CheckedRecord; given: Given }
): readonly Fact[] {
  return mergeFacts(kept.facts.of(record.manifestId), newFacts(world, kept, { record, given }))
}

/** Those that are not here yet, because keepers pass on again and again what was checked long ago. */
function newFacts(
  world: World,
  kept: KeptTable,
  { record, given }: { record: CheckedRecord; given: Given }
): readonly Fact[] {
  const { manifestId, ownerPeerId } = record
  const mine = kept.get(manifestId)?.record
  // because another owner of this node could sign a record of any manifest ID, with a key of his own for facts
  const records =
    mine === undefined || mine.ownerPeerId === ownerPeerId ? [record, ...(mine ? [mine] : [])] : [mine]
  const known = kept.facts.of(manifestId)
  return given.facts
    .filter(({ value }) => !known.some(({ bytes }) => equalBytes(bytes, value)))
    .flatMap(({ value }) => openFact(value, world, records) ?? [])
    .filter((fact) => equalBytes(fact.manifestId, manifestId))
}
