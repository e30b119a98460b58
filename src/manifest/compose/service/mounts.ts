import { isRecord } from '../../objects/json.ts'
import { parseBytes } from '../values/amounts.ts'
import { bytesOf, flagOf, itemsOf, oneOrItemsOf, type Spot, textOf, under } from '../values/spot.ts'
import { type Draft, defined, type Fields, UNSUPPORTED } from './draft.ts'
import type { VolumeTable } from './volume-table.ts'

/** The volumes at the top of the file: name of the claim by name, and which are used. */
export interface Claims {
  readonly names: ReadonlyMap<string, string>
  readonly used: Set<string>
}

const NO_BIND =
  "is refused: it would open the host's files; use a named volume for data, configs or secrets for files"

/** volumeMounts for `volumes` and `tmpfs`; adds what they mount to the table. */
export function convertMounts(draft: Draft, table: VolumeTable, claims: Claims): Mount[] {
  const { spot, report } = draft
  const mounts: Mount[] = []
  for (const item of itemsOf(under(spot, 'volumes'), report)) {
    const mount = isRecord(item.value) ? longOf(item, draft) : shortOf(item, draft)
    if (mount === undefined) continue
    const name = sourceOf(mount, item, { draft, table, claims })
    if (name !== undefined) mounts.push(toMount(name, mount, item))
  }
  for (const item of oneOrItemsOf(under(spot, 'tmpfs'), report)) {
    const mount = tmpfsOf(item, draft)
    if (mount === undefined) continue
    const name = sourceOf(mount, item, { draft, table, claims })
    if (name !== undefined) mounts.push(toMount(name, mount, item))
  }
  return mounts
}

export interface Mount {
  readonly fields: Fields
  readonly path: string
}

interface Written {
  readonly type: 'volume' | 'tmpfs'
  readonly source?: string | undefined
  readonly target: string
  readonly readOnly?: boolean | undefined
  readonly sizeBytes?: number | undefined
}

function toMount(name: string, { target, readOnly }: Written, { path }: Spot): Mount {
  return { fields: defined({ name, mountPath: target, readOnly: readOnly || undefined }), path }
}

function sourceOf(
  { type, source, sizeBytes }: Written,
  { path }: Spot,
  {
    draft: { name, report },
    table,
    claims
  }: { readonly draft: Draft; readonly table: VolumeTable; readonly claims: Claims }
): string | undefined {
  if (type === 'tmpfs') {
    const emptyDir = { medium: 'Memory', ...(sizeBytes === undefined ? {} : { sizeLimit: sizeBytes }) }
    return table.add(`${name}-tmpfs`, { emptyDir }, path)
  }
  if (source === undefined) return table.add(`${name}-scratch`, { emptyDir: {} }, path)
  const claim = claims.names.get(source)
  claims.used.add(source)
  if (claim !== undefined) return table.claim(claim, source, path)
  report(path, 'reference', 'names a volume that is not under volumes at the top of the file', {
    code: 'MANIFEST_MISSING_REFERENCE'
  })
  return undefined
}

/** `[SOURCE:]TARGET[:MODE]` */
function shortOf(item: Spot, { report }: Draft): Written | undefined {
  const text = textOf(item, report)
  if (text === undefined) return undefined
  // because a path is no name, and a drive letter has a colon of its own
  if (/^(?:[./~\\]|[A-Za-z]:(?:\\|\/[^:]*:\/))/.test(text) && text.includes(':')) {
    report(item.path, 'refused', NO_BIND, UNSUPPORTED)
    return undefined
  }
  const parts = text.split(':')
  const [source, target = '', mode = ''] = parts.length === 1 ? [undefined, text] : parts
  if (parts.length > 3 || target === '' || source === '') {
    report(item.path, 'mount', 'must be like data:/var/lib/data, data:/var/lib/data:ro or /var/lib/data')
    return undefined
  }
  const options = mode === '' ? [] : mode.split(',')
  const unknown = options.find((option) => !['ro', 'rw', 'nocopy'].includes(option))
  if (unknown !== undefined)
    report(item.path, 'refused', 'has an option that is refused: only ro, rw and nocopy are taken', {
      ...UNSUPPORTED,
      value: unknown
    })
  return { type: 'volume', source, target, readOnly: options.includes('ro') }
}

function longOf(item: Spot, { report }: Draft): Written | undefined {
  const type = textOf(under(item, 'type'), report) ?? 'volume'
  const target = textOf(under(item, 'target'), report)
  const source = textOf(under(item, 'source'), report)
  const readOnly = flagOf(under(item, 'read_only'), report)
  const size = under(item, 'tmpfs', 'size')
  const sizeBytes = bytesOf(size, report)
  if (type === 'bind') {
    report(item.path, 'refused', NO_BIND, UNSUPPORTED)
    return undefined
  }
  if (type !== 'volume' && type !== 'tmpfs') {
    report(under(item, 'type').path, 'refused', 'is refused: it must be volume or tmpfs', {
      ...UNSUPPORTED,
      value: type
    })
    return undefined
  }
  if (type === 'tmpfs' ? source !== undefined : sizeBytes !== undefined)
    report(
      type === 'tmpfs' ? under(item, 'source').path : size.path,
      'choice',
      `has no meaning with type ${type}; leave it out`
    )
  if (target === undefined) {
    report(under(item, 'target').path, 'required', 'is missing')
    return undefined
  }
  return { type, source, target, readOnly, sizeBytes }
}

/** `PATH[:OPTIONS]` */
function tmpfsOf(item: Spot, { report }: Draft): Written | undefined {
  const text = textOf(item, report)
  if (text === undefined) return undefined
  const [target = '', options = ''] = text.split(/:(.*)/s)
  let sizeBytes: number | undefined
  for (const option of options === '' ? [] : options.split(',')) {
    const [, size] = /^size=(.*)$/.exec(option) ?? []
    const bytes = size === undefined ? undefined : parseBytes(size)
    if (bytes !== undefined) sizeBytes = bytes
    else if (option !== 'rw')
      report(
        item.path,
        'refused',
        'has an option that is refused: only size=, in bytes or with k, m, g, is taken',
        {
          ...UNSUPPORTED,
          value: option
        }
      )
  }
  return { type: 'tmpfs', target, sizeBytes }
}
