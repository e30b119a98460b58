import type { Report } from '../../check/report.ts'
import { isRecord, joinPath } from '../../objects/json.ts'
import { ONLY_THIS_DOCUMENT } from '../fields/types.ts'

/** A `$` that Compose would act upon: `$$`, `$NAME`, `${`. Any other is text. Source: compose-spec, 12-interpolation.md. */
const DOLLAR = /\$(?:\$|([A-Za-z_]|\{))/g

/**
 * The tree with `$$` as `$`. Reports each value that takes a variable of the machine, whose name is not shown because a
 * password with a `$` in it looks like one. Keys are taken as they are.
 */
export function interpolate(value: unknown, path: string, report: Report): unknown {
  if (typeof value === 'string') return interpolateText(value, path, report)
  if (Array.isArray(value))
    return value.map((item, index) => interpolate(item, joinPath(path, index), report))
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, interpolate(child, joinPath(path, key), report)])
  )
}

function interpolateText(text: string, path: string, report: Report): string {
  let refused = false
  const result = text.replaceAll(DOLLAR, (found, variable?: string) => {
    refused ||= variable !== undefined
    return variable === undefined ? '$' : found
  })
  if (refused)
    report(
      path,
      'interpolation',
      `takes a variable, which is refused: ${ONLY_THIS_DOCUMENT}, or write $$ for a dollar sign`,
      { code: 'MANIFEST_UNSUPPORTED_FIELD' }
    )
  return result
}

/** Text for a field in which Kubernetes replaces `$(NAME)`, so that it comes out as it was. */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$')
}
