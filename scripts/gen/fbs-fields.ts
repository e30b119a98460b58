/** The lines of a codec that belong to one field. */
import { camelCase, constantCase, type FieldModel } from './fbs-model.ts'

export interface FieldCode {
  /** Statement that must run before the table is started: FlatBuffers forbids nesting. */
  readonly before: string | undefined
  /** Statement that puts the field into the started table. */
  add(method: string): string
  /** Property of the object that is read back. */
  readonly read: string
}

const NUMBERS = new Set(['u8', 'u16', 'u32', 'i32', 'u64'])

/** The field in the interface of what is read. */
export function emitRead(field: FieldModel): string {
  const optional = isOptionalWhenRead(field)
  return `${doc(field)}  readonly ${camelCase(field.name)}${optional ? '?' : ''}: ${type(field, '')}${optional ? ' | undefined' : ''}`
}

/** The field in the interface of what is encoded. */
export function emitInit(field: FieldModel): string {
  const optional = !field.required
  return `${doc(field)}  readonly ${camelCase(field.name)}${optional ? '?' : ''}: ${type(field, 'Init')}${optional ? ' | undefined' : ''}`
}

export function emitField(field: FieldModel, tableName: string): FieldCode {
  const name = camelCase(field.name)
  const value = `value.${name}`
  const table = `table.${name}`
  const fallback = field.defaultValue ?? '0'
  const before = `const ${name}Offset = ${field.required ? '' : `${value} === undefined ? 0 : `}${vector(field, tableName, value)}`
  switch (field.layout) {
    case 'bool':
      return scalar(`${value} ?? ${field.defaultValue ?? false}`, `${name}: ${table}()`)
    case 'u64':
      return scalar(`BigInt(${value} ?? ${fallback})`, `${name}: Number(${table}())`)
    case 'enum':
      return scalar(
        `${values(field)}.indexOf(${value} ?? ${values(field)}[${field.defaultValue === undefined ? 0 : `${values(field)}.indexOf('${field.defaultValue}')`}]!)`,
        `${name}: ${values(field)}[${table}()]!`
      )
    case 'u8':
    case 'u16':
    case 'u32':
    case 'i32':
      return scalar(`${value} ?? ${fallback}`, `${name}: ${table}()`)
    case 'string':
      return offset(`${name}: ${table}()${field.required ? '!' : ' ?? undefined'}`)
    case 'bytes':
      return offset(`${name}: ${table}Array()${field.required ? '!' : '?'}.slice()`)
    case 'table':
      return offset(
        field.required
          ? `${name}: to${field.type}(${table}()!)`
          : `${name}: ${table}() === null ? undefined : to${field.type}(${table}()!)`
      )
    case 'strings':
      return offset(`${name}: Array.from({ length: ${table}Length() }, (_, i) => ${table}(i))`)
    case 'u32s':
      return offset(`${name}: Array.from({ length: ${table}Length() }, (_, i) => ${table}(i)!)`)
    case 'enums':
      return offset(
        `${name}: Array.from({ length: ${table}Length() }, (_, i) => ${values(field)}[${table}(i)!]!)`
      )
    case 'tables':
      return offset(
        `${name}: Array.from({ length: ${table}Length() }, (_, i) => to${field.type}(${table}(i)!))`
      )
  }

  function scalar(expression: string, read: string): FieldCode {
    return { before: undefined, add: (method) => `${method}(builder, ${expression})`, read }
  }

  function offset(read: string): FieldCode {
    return { before, add: (method) => `${method}(builder, ${name}Offset)`, read }
  }
}

function vector(field: FieldModel, tableName: string, value: string): string {
  const create = `${tableName}Table.create${camelCase(field.name).replace(/^./, (first) => first.toUpperCase())}Vector`
  switch (field.layout) {
    case 'string':
      return `builder.createString(${value})`
    case 'bytes':
      return `builder.createByteVector(${value})`
    case 'table':
      return `write${field.type}(builder, ${value})`
    case 'strings':
      return `${create}(builder, ${value}.map((item) => builder.createString(item)))`
    case 'u32s':
      return `${create}(builder, [...${value}])`
    case 'enums':
      return `builder.createByteVector(Uint8Array.from(${value}, (item) => ${values(field)}.indexOf(item)))`
    case 'tables':
      return `${create}(builder, ${value}.map((item) => write${field.type}(builder, item)))`
    default:
      return ''
  }
}

function type(field: FieldModel, suffix: 'Init' | ''): string {
  if (NUMBERS.has(field.layout)) return 'number'
  switch (field.layout) {
    case 'bool':
      return 'boolean'
    case 'string':
      return 'string'
    case 'bytes':
      return 'Uint8Array'
    case 'u32s':
      return 'readonly number[]'
    case 'strings':
      return 'readonly string[]'
    case 'enum':
      return field.type
    case 'enums':
      return `readonly ${field.type}[]`
    case 'table':
      return field.type + suffix
    default:
      return `readonly ${field.type}${suffix}[]`
  }
}

function isOptionalWhenRead({ layout, required }: FieldModel): boolean {
  return !required && (layout === 'string' || layout === 'bytes' || layout === 'table')
}

function values(field: FieldModel): string {
  return `${constantCase(field.type)}S`
}

function doc({ comment }: FieldModel): string {
  return comment === undefined ? '' : `  /** ${comment} */\n`
}
