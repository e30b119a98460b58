import { describeParts } from './greedy.ts'
import type { Explained, Plan } from './types.ts'

const ORDER: readonly Explained['verdict'][] = ['taken', 'fits', 'refused']

/** A plan as lines for people: one for each node, those taken first, then what is left over and why. */
export function formatPlan({ explained, assignments, unplaced, summary }: Plan): string {
  const rows = explained
    .toSorted((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict))
    .map(({ name, verdict, ordinals, score, parts, reason }) => [
      name,
      verdict,
      ordinals.join(','),
      score === undefined ? '' : String(Math.round(score)),
      // because the reason of a node that was taken says its parts again
      verdict === 'refused' ? reason : describeParts(parts) || reason
    ])
  const table = [['NODE', 'VERDICT', 'COPIES', 'SCORE', 'WHY'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]!.length)))
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 4 ? cell : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd()
  )
  const count = `${assignments.length} placed, ${unplaced.length} left over`
  return [...lines, summary === '' ? count : `${count}: ${summary}`].join('\n')
}
