import { isRecord } from '../../objects/json.ts'
import { itemsOf, type Spot, textOf, under } from '../values/spot.ts'
import { type Draft, defined, type Fields, UNSUPPORTED } from './draft.ts'
import type { Mount } from './mounts.ts'
import type { VolumeTable } from './volume-table.ts'

export type FileKind = 'configs' | 'secrets'

/** The configs, or the secrets, at the top of the file: the object that holds them, their names, and which are used. */
export interface FileSource {
  readonly object: string
  readonly names: ReadonlySet<string>
  readonly used: Set<string>
}

const SECRETS_DIRECTORY = '/run/secrets'

interface File {
  readonly item: Fields
  readonly path: string
}

/** volumeMounts for `configs` or `secrets`: one volume for each directory in which files are wanted. */
export function convertFiles(draft: Draft, kind: FileKind, table: VolumeTable, source: FileSource): Mount[] {
  const directories = new Map<string, File[]>()
  for (const entry of itemsOf(under(draft.spot, kind), draft.report)) {
    const file = fileOf(entry, kind, draft, source)
    if (file === undefined) continue
    const { directory, ...rest } = file
    directories.set(directory, [...(directories.get(directory) ?? []), rest])
  }
  return [...directories].map(([directory, files]) => {
    const path = files[0]?.path ?? under(draft.spot, kind).path
    const items = files.map(({ item }) => item)
    const volume =
      kind === 'configs'
        ? { configMap: { name: source.object, items } }
        : { secret: { secretName: source.object, items } }
    const name = table.add(`${draft.name}-${kind}`, volume, path)
    return { fields: { name, mountPath: directory, readOnly: true }, path }
  })
}

function fileOf(
  entry: Spot,
  kind: FileKind,
  { report }: Draft,
  { names, used }: FileSource
): (File & { readonly directory: string }) | undefined {
  const isLong = isRecord(entry.value)
  const place = isLong ? under(entry, 'source') : entry
  const key = textOf(place, report)
  if (key === undefined) {
    if (isLong) report(place.path, 'required', 'is missing')
    return undefined
  }
  used.add(key)
  if (!names.has(key)) {
    report(place.path, 'reference', `names none of the ${kind} at the top of the file`, {
      code: 'MANIFEST_MISSING_REFERENCE'
    })
    return undefined
  }
  const written = isLong ? textOf(under(entry, 'target'), report) : undefined
  const base = kind === 'secrets' ? SECRETS_DIRECTORY : ''
  const target = written?.startsWith('/') ? written : `${base}/${written ?? key}`
  const slash = target.lastIndexOf('/')
  const directory = target.slice(0, slash)
  if (directory.split('/').filter((part) => part !== '').length < 2) {
    report(
      written === undefined ? entry.path : under(entry, 'target').path,
      'target',
      `is refused at ${directory === '' ? '/' : 'this place'}: a file is mounted with its directory, which would hide what the image has there; write a target in a directory of its own, such as /etc/web/${key}`,
      UNSUPPORTED
    )
    return undefined
  }
  const mode = isLong ? modeOf(under(entry, 'mode'), report) : undefined
  return { directory, item: defined({ key, path: target.slice(slash + 1), mode }), path: entry.path }
}

/** Permission bits; a string is octal, and so is a number with a leading zero, which is read that way already. */
function modeOf(spot: Spot, report: Draft['report']): number | undefined {
  const { value, path } = spot
  if (value === undefined) return undefined
  const mode =
    typeof value === 'string' && /^0?o?[0-7]{1,4}$/.test(value)
      ? Number.parseInt(value.replace('o', ''), 8)
      : value
  if (typeof mode === 'number' && Number.isInteger(mode) && mode >= 0 && mode <= 0o777) return mode
  report(path, 'mode', 'must be permission bits in octal, such as 0440')
  return undefined
}
