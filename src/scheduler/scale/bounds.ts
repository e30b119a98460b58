import { type Autoscale, parseAutoscale } from '../../manifest/index.ts'
import type { CheckedRecord } from '../types.ts'

type Scaled = Pick<CheckedRecord, 'autoscale' | 'replicas'>

/** Read once for each text, because a keeper looks at its manifests every few seconds. Bounded by forgetting all. */
const parsed = new Map<string, Autoscale>()
const MAX_PARSED = 1_000

/** How a manifest is scaled; undefined: not at all. @throws ManifestError when what its owner signed cannot be read */
export function autoscaleOf({ autoscale: text }: Pick<CheckedRecord, 'autoscale'>): Autoscale | undefined {
  if (text === undefined) return undefined
  const known = parsed.get(text)
  if (known !== undefined) return known
  const autoscale = parseAutoscale(text)
  if (parsed.size >= MAX_PARSED) parsed.clear()
  parsed.set(text, autoscale)
  return autoscale
}

/** Most copies that may be wanted, on any side of a partition: as the owner signed it. */
export function mostReplicas(record: Scaled): number {
  return autoscaleOf(record)?.maxReplicas ?? record.replicas
}

/** Most copies at one time, of all versions together, as one side of a partition sees them. A copy on every node has no bound of its own. */
export function mostCopies(record: Scaled & Pick<CheckedRecord, 'maxCopies' | 'perNode'>): number {
  if (record.maxCopies > 0) return record.maxCopies
  return record.perNode ? Number.POSITIVE_INFINITY : 2 * mostReplicas(record)
}

/** A number of copies that somebody wants, in the bounds that the owner signed. */
export function withinBounds(record: Scaled, replicas: number): number {
  const autoscale = autoscaleOf(record)
  if (autoscale === undefined || record.replicas === 0) return record.replicas
  return Math.min(autoscale.maxReplicas, Math.max(autoscale.minReplicas, replicas))
}
