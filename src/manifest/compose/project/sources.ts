import type { Report } from '../../check/report.ts'
import { type JsonRecord, joinPath } from '../../objects/json.ts'
import { type Fields, filled } from '../service/draft.ts'
import type { FileKind, FileSource } from '../service/files.ts'
import type { Claims } from '../service/mounts.ts'
import { toLabel } from '../service/volume-table.ts'
import { entriesOf, pairsOf, type Spot, textOf, under } from '../values/spot.ts'

/** A Kubernetes object with the place in the Compose file of each of its paths. */
export interface Made {
  readonly object: JsonRecord
  readonly traces: ReadonlyMap<string, string>
}

/** The claims for the volumes at the top of the file. */
export function convertVolumes(
  project: Spot,
  name: string,
  report: Report
): { readonly claims: Claims; readonly made: Made[] } {
  const names = new Map<string, string>()
  const taken = new Map<string, string>()
  const made = entriesOf(under(project, 'volumes'), report).map((entry): Made => {
    const written = textOf(under(entry, 'name'), report)
    const claimName = toLabel(written ?? `${name}-${entry.name}`) || 'volume'
    const before = taken.get(claimName)
    // because the claim's name is what finds the data again, a number to tell them apart could swap it
    if (before !== undefined)
      report(entry.path, 'unique', `becomes claim ${claimName}, as ${before} does; give one another name`)
    taken.set(claimName, entry.path)
    names.set(entry.name, claimName)
    const labels = pairsOf(under(entry, 'labels'), report)
    const metadata = {
      name: claimName,
      ...filled('labels', Object.fromEntries(labels.map(({ key, value = '' }) => [key, value])))
    }
    return {
      object: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata,
        spec: { accessModes: ['ReadWriteOnce'] }
      },
      traces: new Map([
        ['', entry.path],
        ['metadata.labels', under(entry, 'labels').path],
        ...labels.map(({ key, path }) => [joinPath('metadata.labels', key), path] as const)
      ])
    }
  })
  return { claims: { names, used: new Set() }, made }
}

/** One ConfigMap for all configs, or one Secret for all secrets; none where there are none. */
export function convertContents(
  project: Spot,
  kind: FileKind,
  name: string,
  report: Report
): { readonly source: FileSource; readonly made: Made[] } {
  const object = `${name}-${kind}`
  const entries = entriesOf(under(project, kind), report)
  const source = { object, names: new Set(entries.map((entry) => entry.name)), used: new Set<string>() }
  if (entries.length === 0) return { source, made: [] }
  const field = kind === 'configs' ? 'data' : 'stringData'
  const contents: Record<string, string> = {}
  const traces = new Map([['', under(project, kind).path]])
  for (const entry of entries) {
    const place = under(entry, 'content')
    const content = textOf(place, report)
    if (content === undefined && !hasOtherSource(entry)) report(place.path, 'required', 'is missing')
    contents[entry.name] = content ?? ''
    traces.set(joinPath(field, entry.name), place.path)
  }
  const fields: Fields = {
    apiVersion: 'v1',
    kind: kind === 'configs' ? 'ConfigMap' : 'Secret',
    metadata: { name: object },
    [field]: contents
  }
  return { source, made: [{ object: fields, traces }] }
}

/** Whether it has one that is refused anyway. */
function hasOtherSource(entry: Spot): boolean {
  return ['file', 'environment', 'external'].some((key) => under(entry, key).value !== undefined)
}

/** Reports what no service uses, as for Kubernetes objects. */
export function reportUnused(spot: Spot, used: ReadonlySet<string>, report: Report): void {
  // the reader has reported a wrong type already
  for (const { name, path } of entriesOf(spot, () => undefined))
    if (!used.has(name)) report(path, 'unused', 'is used by no service of this file')
}
