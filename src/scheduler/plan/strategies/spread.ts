import { POD_POINTS, ROOM_TIE_POINTS, STRICT_COPY_POINTS, ZONE_POINTS } from '../constants.ts'
import type { ScorePart } from '../types.ts'
import type { NodeState, World } from '../world.ts'
import { shareLeft } from './shares.ts'
import { points, wishParts } from './wishes.ts'

/** The fewest copies of this manifest first, then the zone with the fewest, then the fewest pods of any manifest. */
export function spreadParts(state: NodeState, world: World): ScorePart[] {
  const { pods, cpu, memory } = shareLeft(state, world.request.perCopy)
  return [
    { name: 'copies', points: STRICT_COPY_POINTS * state.copies + 0 },
    { name: 'zone', points: zonePoints(state, world) },
    // not rounded, because a node with one pod less is to be taken first however many it could have
    { name: 'pods', points: POD_POINTS * pods },
    { name: 'room', points: (ROOM_TIE_POINTS * (cpu + memory)) / 2 },
    ...wishParts(state, world)
  ]
}

function zonePoints(state: NodeState, { datacenters }: World): number {
  const { least, most } = datacenters.range()
  const copies = datacenters.of(state) ?? 0
  return copies === least ? 0 : ZONE_POINTS + points(ZONE_POINTS, (copies - least) / (most - least))
}
