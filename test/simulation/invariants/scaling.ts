import { formatManifestId } from '../../../src/manifest/index.ts'
import { SCALED } from '../owner/documents.ts'
import type { Signed, Wanted } from '../owner/truth.ts'
import { isRecoverable } from './kept.ts'
import { show } from './show.ts'
import type { Copy, SettledInit } from './types.ts'

/** A ratio of use to target that changes nothing. Source: src/scheduler/plan/autoscale.ts, and what rounding adds. */
const TOLERANCE = 0.12

/** Copies follow the load, which has not changed since all is calm. */
export function whatIsLeftOfScaling(
  { mesh, demandOf }: SettledInit,
  { id, isOpen }: Wanted,
  { least, most, version }: Signed,
  own: readonly Copy[]
): string[] {
  if (isOpen || !isRecoverable(mesh, id, version)) return []
  const count = new Set(own.map(({ ordinal }) => ordinal)).size
  const label = formatManifestId(new Uint8Array(Buffer.from(id, 'hex')))
  const demand = demandOf(label)
  const perCopy = SCALED.requestMillis * SCALED.target
  const fits = Math.min(most, Math.max(least, Math.ceil(demand / perCopy)))
  const isNear = Math.abs(demand / count / perCopy - 1) <= TOLERANCE
  return count === fits || (isNear && count >= least && count <= most)
    ? []
    : [`a load of ${Math.round(demand)} needs ${fits} copies, there are: ${show(own)}`]
}
