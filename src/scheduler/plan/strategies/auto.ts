import { REGION_LABEL, ZONE_LABEL } from '../../../manifest/index.ts'
import {
  BASE_POINTS,
  COPY_POINTS,
  CPU_POINTS,
  DATACENTER_POINTS,
  LOAD_POINTS,
  MEMORY_POINTS,
  REGION_POINTS
} from '../constants.ts'
import type { ScorePart } from '../types.ts'
import type { NodeState, World } from '../world.ts'
import { shareLeft } from './shares.ts'
import { points, wishParts } from './wishes.ts'

/** The most room after the copy, the least load, near to where the request came from; and a node without a copy before one with. */
export function autoParts(state: NodeState, world: World): ScorePart[] {
  const { cpu, memory } = shareLeft(state, world.request.perCopy)
  const load = Math.min(1, Math.max(0, state.candidate.load))
  return [
    { name: 'base', points: BASE_POINTS },
    { name: 'cpu', points: points(CPU_POINTS, cpu) },
    { name: 'memory', points: points(MEMORY_POINTS, memory) },
    { name: 'load', points: points(LOAD_POINTS, 1 - 2 * load) },
    { name: 'datacenter', points: nearness(state.labels, world.near) },
    ...(state.copies === 0 ? [] : [{ name: 'copies', points: COPY_POINTS * state.copies }]),
    ...wishParts(state, world)
  ]
}

type Labels = Readonly<Record<string, string>>

function nearness(labels: Labels, near: Labels | undefined): number {
  if (near === undefined) return 0
  const compare = (key: string) =>
    labels[key] === undefined || near[key] === undefined ? undefined : labels[key] === near[key]
  const [region, zone] = [compare(REGION_LABEL), compare(ZONE_LABEL)]
  if (region === false) return -DATACENTER_POINTS
  if (zone === true) return DATACENTER_POINTS
  if (region === true) return REGION_POINTS
  return zone === false ? -DATACENTER_POINTS : 0
}
