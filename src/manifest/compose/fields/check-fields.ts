import { nearestName } from '../../check/nearest-name.ts'
import type { Report } from '../../check/report.ts'
import { asList, isRecord, type JsonRecord, joinPath, own } from '../../objects/json.ts'
import type { ComposeField, ComposeFields } from './types.ts'

/** Fields of a mapping up to which a name is compared with what could be meant, because that takes time. */
const MAX_COMPARED = 100

/** Reports every field that is refused or not known. Takes unchecked data; the types of values are for their readers. */
export function checkFields(record: JsonRecord, fields: ComposeFields, path: string, report: Report): void {
  const written = Object.entries(record)
  const candidates = written.length > MAX_COMPARED ? [] : Object.keys(fields)
  for (const [name, value] of written) {
    const at = joinPath(path, name)
    const field = own(fields, name)
    if (field !== undefined) checkField(value, field, at, report)
    else if (!name.startsWith('x-')) {
      const near = nearestName(name, candidates)
      const message = `is not a field of a Compose file that beemesh knows${near === undefined ? '' : `; did you mean ${near}?`}`
      report(at, 'unknown-field', message, { code: 'MANIFEST_UNSUPPORTED_FIELD' })
    }
  }
}

function checkField(value: unknown, field: ComposeField, path: string, report: Report): void {
  const { support, note, harmless = [], fields, items, entries } = field
  if (support === 'refused') {
    if (!isEmpty(value) && !harmless.includes(value))
      report(path, 'refused', `is refused: ${note}`, { code: 'MANIFEST_UNSUPPORTED_FIELD' })
    return
  }
  if (fields !== undefined) checkMapping(value, fields, path, report)
  for (const [index, item] of items === undefined ? [] : asList(value).entries())
    if (isRecord(item)) checkFields(item, items ?? {}, joinPath(path, index), report)
  if (entries !== undefined && isRecord(value))
    for (const [name, entry] of Object.entries(value))
      checkMapping(entry, entries, joinPath(path, name), report)
}

function checkMapping(value: unknown, fields: ComposeFields, path: string, report: Report): void {
  if (isRecord(value)) checkFields(value, fields, path, report)
  else if (value !== null) report(path, 'type', 'must be a mapping')
}

/** Whether it says nothing, as `docker compose config` writes it. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  return isRecord(value) && Object.keys(value).length === 0
}
