import { anyOf, type Placed, placeAll } from '../greedy.ts'
import type { Refusal } from '../types.ts'
import { resetWorld, type World } from '../world.ts'
import { spreadParts } from './spread.ts'

/**
 * All copies in one datacenter (zone, else region; nodes without either make one together), spread inside. It is the one that
 * has copies already, else the one that can take the most.
 */
export function placeInOneDatacenter(world: World, random: () => number): Placed {
  const { states } = world
  // because one whose nodes are all cordoned, or ruled out, can take nothing ever
  const usable = states.filter(({ refusal }) => refusal === undefined)
  const names = [...new Set(usable.map(({ datacenter }) => datacenter))].sort()
  const copiesIn = (name: string) =>
    states.reduce((sum, one) => (one.datacenter === name ? sum + one.copies : sum), 0)
  const most = Math.max(0, ...names.map(copiesIn))
  const tried = names
    .filter((name) => copiesIn(name) === most)
    .map((name) => placeAll(only(world, name), spreadParts, random))
  const best = Math.max(0, ...tried.map(({ assignments }) => assignments.length))
  const equal = tried.filter(({ assignments }) => assignments.length === best)
  // because applies at the same time should not all go to the first
  return anyOf(equal, random) ?? placeAll(world, spreadParts, random)
}

/** The same world where every other datacenter is refused. */
function only(world: World, name: string): World {
  const fresh = resetWorld(world)
  const label = name === '' ? 'none of the labels region and zone' : name
  const refusal: Refusal = {
    one: `is in another datacenter: all copies go to ${label}`,
    many: `are in another datacenter than ${label}`
  }
  const states = fresh.states.map((state) =>
    state.datacenter === name || state.refusal !== undefined ? state : { ...state, refusal }
  )
  return { ...fresh, states }
}
