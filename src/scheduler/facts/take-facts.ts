import { equalBytes } from '../../common/index.ts'
import type { World } from '../types.ts'
import { type Fact, openFact } from './fact.ts'
import { type FactTable, mergeFacts } from './fact-table.ts'

interface Given {
  readonly facts: readonly { readonly value: Uint8Array }[]
}

/**
 * Takes what nodes said of their parts of a Job; each is believed of itself. Durable when it resolves.
 * @param isKept whether the manifest is kept here
 * @throws EnvelopeError, SchedulerError
 */
export async function takeFacts(
  world: World,
  table: FactTable,
  { manifestId, given, isKept }: { manifestId: Uint8Array; given: Given; isKept: boolean }
): Promise<void> {
  if (given.facts.length === 0 || !isKept) return
  const opened = given.facts.map(({ value }) => openFact(value, world))
  await table.take(manifestId, opened)
}

/** All that is known of a manifest, for another node. */
export function giveFacts(table: FactTable, manifestId: Uint8Array): { value: Uint8Array }[] {
  return table.of(manifestId).map(({ bytes: value }) => ({ value }))
}

/** What another node passed on and what is known here, together. @throws EnvelopeError, SchedulerError */
export function allFacts(
  world: World,
  table: FactTable,
  { manifestId, given }: { manifestId: Uint8Array; given: Given }
): readonly Fact[] {
  const opened = given.facts.map(({ value }) => openFact(value, world))
  return mergeFacts(
    table.of(manifestId),
    opened.filter((fact) => equalBytes(fact.manifestId, manifestId))
  )
}
