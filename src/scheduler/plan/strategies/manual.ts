import { STRICT_COPY_POINTS } from '../constants.ts'
import type { ScorePart } from '../types.ts'
import type { NodeState, World } from '../world.ts'

/** The nodes that the manifest names, in that order, each one copy before any has two. Others are refused by the constraints. */
export function manualParts({ candidate, copies }: NodeState, { request }: World): ScorePart[] {
  const { nodes } = request.rules
  const at = nodes.findIndex((one) => one === candidate.peerId || one === candidate.name)
  return [
    { name: 'copies', points: STRICT_COPY_POINTS * copies + 0 },
    { name: 'order', points: 0 - at }
  ]
}
