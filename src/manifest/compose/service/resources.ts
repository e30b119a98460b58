import { bytesOf, integerOf, type Spot, textOf, under } from '../values/spot.ts'
import { type Draft, defined, type Fields, filled, UNSUPPORTED } from './draft.ts'

/** resources of the container. */
export function convertResources(draft: Draft): Fields {
  const { spot, report, trace } = draft
  const planned = under(spot, 'deploy', 'resources')
  const amount = (kind: 'limits' | 'requests', name: 'cpu' | 'memory', places: readonly Spot[]) => {
    const place = onlyOne(places, draft)
    if (place === undefined) return undefined
    trace(`resources.${kind}.${name}`, place.path)
    return name === 'cpu' ? textOf(place, report)?.trim() : bytesOf(place, report)
  }
  const limits = defined({
    cpu: amount('limits', 'cpu', [under(spot, 'cpus'), under(planned, 'limits', 'cpus')]),
    memory: amount('limits', 'memory', [under(spot, 'mem_limit'), under(planned, 'limits', 'memory')])
  })
  const requests = defined({
    cpu: amount('requests', 'cpu', [under(planned, 'reservations', 'cpus')]),
    memory: amount('requests', 'memory', [
      under(spot, 'mem_reservation'),
      under(planned, 'reservations', 'memory')
    ])
  })
  return filled('resources', { ...filled('limits', limits), ...filled('requests', requests) })
}

/** Most processes of a service, and where it is said; undefined when nothing is. */
export function pidsOf(draft: Draft): { readonly limit: number; readonly path: string } | undefined {
  const { spot, report } = draft
  const place = onlyOne(
    [under(spot, 'pids_limit'), under(spot, 'deploy', 'resources', 'limits', 'pids')],
    draft
  )
  const limit = place && integerOf(place, report)
  if (place === undefined || limit === undefined) return undefined
  if (limit > 0) return { limit, path: place.path }
  report(place.path, 'refused', 'is refused: there is always a limit; leave it out for the node to set', {
    ...UNSUPPORTED,
    value: limit
  })
  return undefined
}

function onlyOne(places: readonly Spot[], { report }: Draft): Spot | undefined {
  const [first, second] = places.filter(({ value }) => value !== undefined)
  if (first !== undefined && second !== undefined)
    report(second.path, 'unique', `is said at ${first.path} too; write it once`)
  return first
}
