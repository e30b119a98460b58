import { MAX_KNOWN_PROVIDERS, MAX_PROVIDERS } from '../constants.ts'
import type { FindOptions, ProviderView } from '../types.ts'

/** What of this node's surroundings decides which provider is the better one. */
export interface Surroundings {
  readonly self: string
  /** Labels of this node. */
  readonly labels: Readonly<Record<string, string>>
  /** ms; undefined where none was measured. */
  readonly roundTripMs: (peerId: string) => number | undefined
}

/** Labels that say where a machine stands, the narrower first. */
const PLACES = ['topology.kubernetes.io/zone', 'zone', 'topology.kubernetes.io/region', 'region'] as const

/** Whether a provider is what was asked for. */
export function matches(
  view: ProviderView,
  { engine, labels, minVersion }: Pick<FindOptions, 'engine' | 'labels' | 'minVersion'>
): boolean {
  if (minVersion !== undefined && view.version < minVersion) return false
  if (engine !== undefined && !view.workloads.some((one) => one.engine === engine)) return false
  return labels === undefined || Object.entries(labels).every(([key, value]) => view.labels[key] === value)
}

/** Best first: not stale, this node, the same zone or region, the shortest way, the freshest word; at most `limit`. */
export function best(
  views: readonly ProviderView[],
  { limit = MAX_PROVIDERS }: Pick<FindOptions, 'limit'>,
  around: Surroundings
): ProviderView[] {
  if (views.length < 2) return views.slice(0, limit)
  const ranked = views.map((view) => ({ view, rank: rankOf(view, around) }))
  ranked.sort((a, b) => {
    for (let index = 0; index < a.rank.length; index++) {
      const difference = a.rank[index]! - b.rank[index]!
      if (difference !== 0) return difference
    }
    return 0
  })
  return ranked.slice(0, Math.min(limit, MAX_KNOWN_PROVIDERS)).map(({ view }) => view)
}

function rankOf(view: ProviderView, { self, labels, roundTripMs }: Surroundings): number[] {
  const place = PLACES.findIndex(
    (label) => labels[label] !== undefined && labels[label] === view.labels[label]
  )
  return [
    view.source === 'stale' ? 1 : 0,
    view.peerId === self ? 0 : 1,
    place === -1 ? PLACES.length : place,
    Math.round(roundTripMs(view.peerId) ?? Number.MAX_SAFE_INTEGER),
    -view.issuedAtMs
  ]
}
