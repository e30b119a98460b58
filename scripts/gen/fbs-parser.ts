/**
 * Reads the subset of the FlatBuffers schema language that fbs/ uses: tables, ubyte enums counting from 0, the
 * attributes required / max / exact, include, root_type, file_identifier. Anything else is an error, on purpose: what
 * the verifier does not know, nobody may put on the wire.
 */
import { GenerateError } from './errors.ts'

export const SCALARS = {
  bool: 1,
  ubyte: 1,
  ushort: 2,
  uint: 4,
  int: 4,
  ulong: 8
} as const
export type Scalar = keyof typeof SCALARS

export interface FieldSchema {
  readonly name: string
  /** Scalar, `string`, or the name of an enum or table. */
  readonly type: string
  readonly vector: boolean
  readonly required: boolean
  readonly max: number | undefined
  readonly exact: number | undefined
  /** As written after `=`. */
  readonly defaultValue: string | undefined
  readonly comment: string | undefined
}

export interface TableSchema {
  readonly name: string
  readonly comment: string | undefined
  readonly fields: readonly FieldSchema[]
}

export interface EnumSchema {
  readonly name: string
  readonly values: readonly string[]
}

export interface FileSchema {
  /** `apply` for fbs/apply.fbs. */
  readonly file: string
  readonly includes: readonly string[]
  readonly identifier: string | undefined
  readonly root: string | undefined
  readonly tables: readonly TableSchema[]
  readonly enums: readonly EnumSchema[]
}

/**
 * @param file name without `.fbs`
 * @throws GenerateError SCHEMA_INVALID with the file and the statement
 */
export function parseSchema(file: string, text: string): FileSchema {
  const includes: string[] = []
  const tables: TableSchema[] = []
  const enums: EnumSchema[] = []
  let identifier: string | undefined
  let root: string | undefined
  let comments: string[] = []
  const lines = text.split('\n')
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!.trim()
    if (line.startsWith('//')) {
      comments.push(line.replace(/^\/\/ ?/, ''))
      continue
    }
    const comment = comments.length > 0 ? comments.join('\n') : undefined
    comments = []
    const fail = (why: string) => invalid(file, i + 1, line, why)
    let match: RegExpExecArray | null
    if (line === '' || /^attribute "(max|exact)";$/.test(line)) continue
    if (/^namespace /.test(line)) {
      if (line !== 'namespace beemesh.v1;') throw fail('the namespace is beemesh.v1')
    } else if ((match = /^include "([a-z]+)\.fbs";$/.exec(line)) !== null) includes.push(match[1]!)
    else if ((match = /^file_identifier "([A-Z]{4})";$/.exec(line)) !== null) identifier = match[1]
    else if ((match = /^root_type (\w+);$/.exec(line)) !== null) root = match[1]
    else if ((match = /^enum (\w+) : ubyte \{(.*)\}$/.exec(line)) !== null) {
      enums.push({ name: match[1]!, values: parseEnumValues(match[2]!, fail) })
    } else if ((match = /^table (\w+) \{$/.exec(line)) !== null) {
      const fields: FieldSchema[] = []
      for (i++; lines[i]?.trim() !== '}'; i++) {
        const fieldLine = lines[i]
        if (fieldLine === undefined) throw fail('the table is not closed')
        const field = parseField(fieldLine.trim(), (why) => invalid(file, i + 1, fieldLine, why))
        if (field !== undefined) fields.push(field)
      }
      tables.push({ name: match[1]!, comment, fields })
    } else throw fail('this statement is not in the subset that beemesh uses')
  }
  return { file, includes, identifier, root, tables, enums }
}

type Fail = (why: string) => GenerateError

function invalid(file: string, line: number, text: string, why: string): GenerateError {
  return new GenerateError('SCHEMA_INVALID', `fbs/${file}.fbs:${line}: ${why}: ${text.trim()}`, {
    details: { file: `fbs/${file}.fbs`, line }
  })
}

function parseEnumValues(body: string, fail: Fail): string[] {
  return body.split(',').map((part, index) => {
    const match = /^(\w+)(?: = (\d+))?$/.exec(part.trim())
    if (match === null) throw fail('an enum value is a name, or a name = number')
    if (match[2] !== undefined && Number(match[2]) !== index) throw fail('enum values count from 0 without gaps')
    return match[1]!
  })
}

function parseField(line: string, fail: Fail): FieldSchema | undefined {
  if (line === '' || line.startsWith('//')) return undefined
  const match = /^(\w+): (\[?)(\w+)\]?(?: = (-?\w+))?(?: \(([^)]*)\))?;(?:\s*\/\/ (.*))?$/.exec(line)
  if (match === null) throw fail('a field is `name: type = default (attributes);`')
  const [, name, bracket, type, defaultValue, attributes, comment] = match
  let required = false
  let max: number | undefined
  let exact: number | undefined
  for (const attribute of attributes?.split(',') ?? []) {
    const part = /^(required|max|exact)(?:: (\d+))?$/.exec(attribute.trim())
    if (part === null || (part[1] === 'required') !== (part[2] === undefined)) throw fail('unknown attribute')
    if (part[1] === 'required') required = true
    else if (part[1] === 'max') max = Number(part[2])
    else exact = Number(part[2])
  }
  const vector = bracket === '['
  const bounded = vector || type === 'string'
  if (bounded && (max === undefined) === (exact === undefined)) throw fail('a vector or string has max or exact')
  if (!bounded && (max !== undefined || exact !== undefined)) throw fail('only vectors and strings have max or exact')
  if (defaultValue === 'null') throw fail('optional scalars are lost by flatc 2.0.8')
  return { name: name!, type: type!, vector, required, max, exact, defaultValue, comment }
}
