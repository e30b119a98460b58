/** All of fbs/ as one model: names resolved, tables in an order in which each comes after those it contains. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GenerateError } from './errors.ts'
import {
  type EnumSchema,
  type FieldSchema,
  type FileSchema,
  parseSchema,
  SCALARS,
  type TableSchema
} from './fbs-parser.ts'

/** What the verifier and the codecs tell apart; the same words appear in layouts.ts. */
export type FieldType =
  | 'bool'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'i32'
  | 'u64'
  | 'enum'
  | 'string'
  | 'bytes'
  | 'table'
  | 'u32s'
  | 'enums'
  | 'strings'
  | 'tables'

export interface FieldModel extends FieldSchema {
  readonly layout: FieldType
  /** Byte offset of the field's entry in the vtable: 4, 6, 8, … */
  readonly slot: number
}

export interface TableModel extends TableSchema {
  readonly fields: readonly FieldModel[]
  /** Schema file without `.fbs`. */
  readonly file: string
  /** Present for root tables. */
  readonly identifier: string | undefined
}

export interface Model {
  readonly files: readonly FileSchema[]
  readonly tables: readonly TableModel[]
  readonly enums: ReadonlyMap<string, EnumSchema & { readonly file: string }>
}

const SCALAR_TYPES: Record<keyof typeof SCALARS, FieldType> = {
  bool: 'bool',
  ubyte: 'u8',
  ushort: 'u16',
  uint: 'u32',
  int: 'i32',
  ulong: 'u64'
}

/** Schema files in fbs/, sorted, without the ending. */
export function schemaNames(root: string): string[] {
  return readdirSync(join(root, 'fbs'))
    .filter((name) => name.endsWith('.fbs'))
    .map((name) => name.slice(0, -4))
    .sort()
}

/** @throws GenerateError SCHEMA_INVALID */
export function loadModel(root: string): Model {
  return buildModel(
    schemaNames(root).map((name) => parseSchema(name, readFileSync(join(root, 'fbs', `${name}.fbs`), 'utf8')))
  )
}

/** @throws GenerateError SCHEMA_INVALID for an unknown or recursive type, or a root without identifier */
export function buildModel(files: readonly FileSchema[]): Model {
  const enums = new Map<string, EnumSchema & { file: string }>()
  const schemas = new Map<string, { table: TableSchema; file: FileSchema }>()
  for (const file of files) {
    for (const schema of file.enums) enums.set(schema.name, { ...schema, file: file.file })
    for (const table of file.tables) schemas.set(table.name, { table, file })
  }
  const done = new Map<string, TableModel>()
  const visit = (name: string, path: readonly string[]): void => {
    if (done.has(name)) return
    if (path.includes(name)) throw invalid(`table ${name} contains itself: ${[...path, name].join(' > ')}`)
    const { table, file } = schemas.get(name)!
    const fields = table.fields.map((field, index) => {
      const layout = fieldType(table.name, field, enums, schemas)
      if (layout === 'table' || layout === 'tables') visit(field.type, [...path, name])
      return { ...field, layout, slot: 4 + 2 * index }
    })
    const isRoot = file.root === name
    if (isRoot && file.identifier === undefined) throw invalid(`root ${name} has no file_identifier`)
    done.set(name, { ...table, fields, file: file.file, identifier: isRoot ? file.identifier : undefined })
  }
  for (const name of schemas.keys()) visit(name, [])
  return { files, tables: [...done.values()], enums }
}

function fieldType(
  table: string,
  field: FieldSchema,
  enums: ReadonlyMap<string, unknown>,
  tables: ReadonlyMap<string, unknown>
): FieldType {
  const { type, vector } = field
  if (type === 'string') return vector ? 'strings' : 'string'
  if (enums.has(type)) return vector ? 'enums' : 'enum'
  if (tables.has(type)) return vector ? 'tables' : 'table'
  if (!(type in SCALARS)) throw invalid(`${table}.${field.name} has the unknown type ${type}`)
  if (!vector) return SCALAR_TYPES[type as keyof typeof SCALARS]
  if (type === 'ubyte') return 'bytes'
  if (type === 'uint') return 'u32s'
  throw invalid(`${table}.${field.name}: vectors of ${type} are not supported by the codecs`)
}

function invalid(message: string): GenerateError {
  return new GenerateError('SCHEMA_INVALID', message)
}

/** container_port -> containerPort */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** ApplyRequest -> apply-request */
export function kebabCase(name: string): string {
  return name.replace(/(?!^)([A-Z])/g, '-$1').toLowerCase()
}

/** ApplyRequest -> APPLY_REQUEST */
export function constantCase(name: string): string {
  return kebabCase(name).replaceAll('-', '_').toUpperCase()
}
