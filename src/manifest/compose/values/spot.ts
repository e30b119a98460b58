import type { Report } from '../../check/report.ts'
import { isRecord, joinPath, own } from '../../objects/json.ts'
import { parseBytes, parseDurationMs } from './amounts.ts'

/** A value of the file and its place. Null reads as undefined. */
export interface Spot {
  readonly value: unknown
  readonly path: string
}

/** What is under these keys; undefined where the way there does not exist. */
export function under(spot: Spot, ...keys: readonly string[]): Spot {
  return keys.reduce<Spot>(
    ({ value, path }, key) => ({
      value: isRecord(value) ? (own(value, key) ?? undefined) : undefined,
      path: joinPath(path, key)
    }),
    spot
  )
}

function wrong({ path }: Spot, shape: string, report: Report): undefined {
  report(path, 'type', `must be ${shape}`)
}

/** A string; a number or a boolean as Compose would write it. */
export function textOf(spot: Spot, report: Report): string | undefined {
  const { value } = spot
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  return typeof value === 'object' ? wrong(spot, 'a string', report) : String(value)
}

/** A whole number, also as a string. */
export function integerOf(spot: Spot, report: Report): number | undefined {
  const text = textOf(spot, report)
  if (text === undefined) return undefined
  return /^-?\d{1,15}$/.test(text) ? Number(text) : wrong(spot, 'a whole number', report)
}

export function flagOf(spot: Spot, report: Report): boolean | undefined {
  const text = textOf(spot, report)
  if (text === undefined) return undefined
  return text === 'true' || text === 'false' ? text === 'true' : wrong(spot, 'true or false', report)
}

/** Whole seconds, rounded up. */
export function secondsOf(spot: Spot, report: Report): number | undefined {
  const text = textOf(spot, report)
  if (text === undefined) return undefined
  const ms = parseDurationMs(text)
  return ms === undefined ? wrong(spot, 'a duration such as 1m30s', report) : Math.ceil(ms / 1000)
}

export function bytesOf(spot: Spot, report: Report): number | undefined {
  const text = textOf(spot, report)
  if (text === undefined) return undefined
  return parseBytes(text) ?? wrong(spot, 'whole bytes, such as 64m or 1gb', report)
}

/** The entries of a mapping by name; none when it is absent. */
export function entriesOf(spot: Spot, report: Report): readonly (Spot & { readonly name: string })[] {
  const { value } = spot
  if (value === undefined || value === null) return []
  if (!isRecord(value)) return wrong(spot, 'a mapping', report) ?? []
  return Object.keys(value).map((name) => ({ name, ...under(spot, name) }))
}

/** The items of a list; none when it is absent. */
export function itemsOf(spot: Spot, report: Report): readonly Spot[] {
  const { value, path } = spot
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return wrong(spot, 'a list', report) ?? []
  return value.map((item: unknown, index) => ({ value: item, path: joinPath(path, index) }))
}

/** As {@link itemsOf}; one value stands for a list of it. */
export function oneOrItemsOf(spot: Spot, report: Report): readonly Spot[] {
  return typeof spot.value === 'string' ? [spot] : itemsOf(spot, report)
}

export interface Pair {
  readonly key: string
  /** undefined when there is none: a null, or an item without `=`. */
  readonly value: string | undefined
  readonly path: string
}

/** A mapping, or a list of `KEY=VALUE`. */
export function pairsOf(spot: Spot, report: Report): readonly Pair[] {
  if (isRecord(spot.value))
    return entriesOf(spot, report).map((entry) => ({
      key: entry.name,
      value: textOf(entry, report),
      path: entry.path
    }))
  return itemsOf(spot, report).flatMap((item): readonly Pair[] => {
    if (typeof item.value !== 'string') return wrong(item, 'a string', report) ?? []
    const [, key = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(item.value) ?? []
    return [{ key, value, path: item.path }]
  })
}
