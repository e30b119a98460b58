import { BASE_POINTS, PACK_POD_POINTS, PACK_POINTS } from '../constants.ts'
import type { ScorePart } from '../types.ts'
import type { NodeState, World } from '../world.ts'
import { shareLeft } from './shares.ts'
import { wishParts } from './wishes.ts'

/** The fullest node that still fits, so that others stay empty. Copies are stacked unless the manifest keeps them apart. */
export function binpackParts(state: NodeState, world: World): ScorePart[] {
  const { cpu, memory, pods } = shareLeft(state, world.request.perCopy)
  // not rounded, because a hair fuller is fuller
  return [
    { name: 'base', points: BASE_POINTS },
    { name: 'cpu', points: PACK_POINTS * (1 - cpu) },
    { name: 'memory', points: PACK_POINTS * (1 - memory) },
    { name: 'pods', points: PACK_POD_POINTS * (1 - pods) },
    ...wishParts(state, world)
  ]
}
