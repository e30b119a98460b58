import { safeText } from '../../common/index.ts'
import type { Placed, Verdict } from './greedy.ts'
import type { PlanRequest, Refusal } from './types.ts'

/**
 * Why copies are left over: `no node fits: 3 of 7 lack memory (closest n2: 512 MiB short), 2 have no label zone=a`.
 * Empty when none is.
 */
export function summarise(
  { assignments, unplaced, verdicts }: Placed,
  { ordinals, perNode }: PlanRequest
): string {
  const running = verdicts.filter(({ state }) => state.copies > 0).length
  if (unplaced.length === 0 && !(perNode && running === 0)) return ''
  const head = perNode
    ? unplaced.length === 0
      ? 'no node matches'
      : `${unplaced.length} of ${unplaced.length + running} matching nodes cannot take their copy`
    : assignments.length === 0
      ? 'no node fits'
      : `${unplaced.length} of ${ordinals.length} copies find no node`
  if (verdicts.length === 0) return `${head}: no node answered`
  const asked = perNode && unplaced.length > 0 ? verdicts.filter(isPending) : verdicts
  const refused = asked.filter((one) => one.refusal !== undefined) as (Verdict & {
    readonly refusal: Refusal
  })[]
  const groups = Map.groupBy(refused, ({ refusal }) => refusal.many)
  const clauses = [...groups]
    .sort(([a, of], [b, than]) => than.length - of.length || (a < b ? -1 : 1))
    .map(([many, group], index) => {
      const words = group.length === 1 ? safeText(firstWords(group[0]!.refusal), 300) : safeText(many, 300)
      return `${group.length}${index === 0 ? ` of ${asked.length}` : ''} ${words}${closest(group)}`
    })
  return `${head}: ${clauses.join(', ')}`
}

/** With one on each node: whether it matches and has no copy. */
function isPending({ state }: Verdict): boolean {
  return state.refusal === undefined && state.copies === 0
}

/** Without what is short, which follows in brackets. */
function firstWords({ one, short }: Refusal): string {
  return short === undefined ? one : one.replace(`: ${short.text}`, '')
}

function closest(group: readonly (Verdict & { readonly refusal: Refusal })[]): string {
  const nearest = group
    .filter(({ refusal }) => refusal.short !== undefined)
    .toSorted((a, b) => a.refusal.short!.share - b.refusal.short!.share)[0]
  if (nearest === undefined) return ''
  return ` (closest ${safeText(nearest.state.candidate.name, 63)}: ${nearest.refusal.short!.text})`
}
