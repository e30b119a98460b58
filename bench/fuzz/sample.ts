import type { FieldLayout, Root, TableLayout } from '../../src/generated/fbs/index.ts'
import * as fbs from '../../src/generated/fbs/index.ts'
import { bytesOf } from '../../test/envelope/fixtures.ts'

/** Every root of every schema, found by what they are: a new one is there by itself. */
export const ROOTS = (Object.values(fbs) as readonly unknown[]).filter(
  (value): value is Root<unknown> =>
    typeof value === 'object' && value !== null && 'identifier' in value && 'layout' in value
)

/** Buffers that the root's own encoder makes: with every field, with those it cannot do without, and with long vectors. */
export function samplesOf(root: Root<unknown>): Uint8Array[] {
  return (['all', 'required', 'many'] as const).map((amount) =>
    root.encode(tableOf(root.layout, amount, root.name) as never)
  )
}

type Amount = 'all' | 'required' | 'many'

function tableOf({ fields }: TableLayout, amount: Amount, path: string): Record<string, unknown> {
  const kept = fields.filter(({ required }) => required || amount !== 'required')
  return Object.fromEntries(
    kept.map((field) => [field.name, sampleOf(field, amount, `${path}.${field.name}`)])
  )
}

function sampleOf(field: FieldLayout, amount: Amount, path: string): unknown {
  const { type, min, max } = field
  const count = Math.max(min, Math.min(max, amount === 'many' ? 5 : 2))
  const items = (make: (index: number) => unknown) => Array.from({ length: count }, (_, index) => make(index))
  switch (type) {
    case 'bool':
      return true
    case 'u8':
    case 'u16':
    case 'u32':
    case 'i32':
      return 7
    case 'u64':
      return 1_800_000_000_000
    case 'enum':
      return undefined // the encoder's default: the layout does not know the names, and mutants get to the other values
    case 'enums':
      return []
    case 'string':
      return textOf(path, amount, max)
    case 'bytes':
      return bytesOf(path, Math.max(min, Math.min(max, amount === 'many' ? 300 : 40)))
    case 'table':
      return tableOf(field.table!, amount, path)
    case 'u32s':
      return items((index) => index)
    case 'strings':
      return items((index) => textOf(`${index}${path}`, amount, field.elementMax))
    case 'tables':
      return items((index) => tableOf(field.table!, amount, `${path}${index}`))
  }
}

/** @param max in bytes, of which the one letter that is not ASCII takes two */
function textOf(path: string, amount: Amount, max: number): string {
  return amount === 'many' && max > 1 ? `ä${path}`.slice(0, max - 1) : path.slice(0, max)
}
