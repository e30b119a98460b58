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
  const lines = text.split('\n')
  const includes: string[] = []
  const tables: TableSchema[] = []
  const enums: EnumSchema[] = []
  let identifier: string | undefined
  let root: string | undefined
  let comments: string[] = []
  let next = 0

  const fail = (why: string) => invalid(file, next, lines[next - 1] ?? '', why)
  const statements: ReadonlyArray<readonly [RegExp, (...groups: readonly string[]) => void]> = [
    [/^$/, () => undefined],
    [/^attribute "(?:max|exact)";$/, () => undefined],
    [/^namespace beemesh\.v1;$/, () => undefined],
    [/^include "([a-z]+)\.fbs";$/, (name = '') => includes.push(name)],
    [/^file_identifier "([A-Z]{4})";$/, (name = '') => (identifier = name)],
    [/^root_type (\w+);$/, (name = '') => (root = name)],
    [
      /^enum (\w+) : ubyte \{(.*)\}$/,
      (name = '', body = '') => enums.push({ name, values: parseValues(body, fail) })
    ],
    [
      /^table (\w+) \{$/,
      (name = '') => tables.push({ name, comment: commentOf(comments), fields: readFields() })
    ]
  ]
  const readFields = (): FieldSchema[] => {
    const fields: FieldSchema[] = []
    for (;;) {
      const line = lines[next++]
      if (line === undefined) throw fail('the table is not closed')
      if (line.trim() === '}') return fields
      const field = parseField(line.trim(), fail)
      if (field !== undefined) fields.push(field)
    }
  }

  while (next < lines.length) {
    const line = lines[next++]!.trim()
    if (line.startsWith('//')) {
      comments.push(line.replace(/^\/\/ ?/, ''))
      continue
    }
    const statement = statements.find(([pattern]) => pattern.test(line))
    if (statement === undefined) throw fail('this statement is not in the subset that beemesh uses')
    const [pattern, apply] = statement
    apply(...(pattern.exec(line)?.slice(1) ?? []))
    comments = []
  }
  return { file, includes, identifier, root, tables, enums }
}

function commentOf(comments: readonly string[]): string | undefined {
  return comments.length > 0 ? comments.join('\n') : undefined
}

type Fail = (why: string) => GenerateError

function invalid(file: string, line: number, text: string, why: string): GenerateError {
  return new GenerateError('SCHEMA_INVALID', `fbs/${file}.fbs:${line}: ${why}: ${text.trim()}`, {
    details: { file: `fbs/${file}.fbs`, line }
  })
}

function parseValues(body: string, fail: Fail): string[] {
  return body.split(',').map((part, index) => {
    const match = /^(\w+)(?: = (\d+))?$/.exec(part.trim())
    if (match === null) throw fail('an enum value is a name, or a name = number')
    if (match[2] !== undefined && Number(match[2]) !== index)
      throw fail('enum values count from 0 without gaps')
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
  if (bounded && (max === undefined) === (exact === undefined))
    throw fail('a vector or string has max or exact')
  if (!bounded && (max !== undefined || exact !== undefined))
    throw fail('only vectors and strings have max or exact')
  if (defaultValue === 'null') throw fail('optional scalars are lost by flatc 2.0.8')
  return { name: name!, type: type!, vector, required, max, exact, defaultValue, comment }
}
