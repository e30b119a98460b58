/**
 * Decides whether bytes are a well-formed FlatBuffer of a given root before any generated accessor runs. The runtime
 * has no verifier: it reads outside the message (returning zeros or a neighbour's memory) and can be sent round in
 * circles. Checked: size, file identifier, forward-only offsets in range, alignment, vtables, lengths against `max` and
 * `exact`, NUL and UTF-8 in strings, required fields, enum ranges, bools, 64-bit numbers, depth, number of tables, and
 * that the parts do not overlap more than their sum allows, so that work and memory are linear in the size.
 */
import { isUtf8 } from 'node:buffer'
import type { FieldLayout, Root, TableLayout } from '../generated/fbs/index.ts'
import { EnvelopeError } from './errors.ts'

/** Largest buffer verified: a forward frame (an envelope of 256 KiB and its frame) is the largest there is. */
export const MAX_BUFFER_BYTES = 272 * 1024
/** Tables inside tables. The schemas reach 4; 8 leaves room. Source: crypto.md section 8. */
export const MAX_DEPTH = 8
/**
 * Tables in one buffer. crypto.md proposes 512; a status answer of one node may hold 110 pods with ports and a log
 * frame 256 lines, so 4096. The linear content bound below is what limits work.
 */
export const MAX_TABLES = 4096

/** Root offset, identifier, and the smallest table with its vtable. */
const MIN_BUFFER_BYTES = 16
/** First word above Number.MAX_SAFE_INTEGER in the upper half of a 64-bit number. */
const UNSAFE_HIGH_WORD = 0x200000

/**
 * Copies, verifies and reads. The result shares no memory with `bytes`.
 * @throws EnvelopeError MESSAGE_MALFORMED with the path of the first fault
 */
export function decode<T>(root: Root<T>, bytes: Uint8Array): T {
  assertHead(root, bytes) // before the copy, which is all that most of what is no message at all would cost
  // because a pooled Buffer has neighbours, and because the sender may still hold the memory
  const own = new Uint8Array(bytes)
  verify(root, own)
  return root.read(own)
}

/** Whether the bytes claim to be this root. Says nothing of whether they are well-formed. */
export function hasIdentifier(bytes: Uint8Array, root: Root<unknown>): boolean {
  if (bytes.byteLength < 8) return false
  for (let i = 0; i < 4; i++) if (bytes[4 + i] !== root.identifier.charCodeAt(i)) return false
  return true
}

/** @throws EnvelopeError MESSAGE_MALFORMED with the path of the first fault */
export function verify(root: Root<unknown>, bytes: Uint8Array): void {
  assertHead(root, bytes)
  new Verification(bytes).table(root.layout, 0, 1, undefined)
}

/** Size and identifier. */
function assertHead(root: Root<unknown>, bytes: Uint8Array): void {
  const size = bytes.byteLength
  if (size < MIN_BUFFER_BYTES || size > MAX_BUFFER_BYTES)
    throw malformed(root.name, `${size} bytes, expected ${MIN_BUFFER_BYTES} to ${MAX_BUFFER_BYTES}`)
  if (!hasIdentifier(bytes, root)) throw malformed(root.name, `file identifier is not ${root.identifier}`)
}

/** Where in the message we are, kept as a chain so that it costs nothing until something is wrong. */
interface Place {
  readonly parent: Place | undefined
  readonly name: string
}

class Verification {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #size: number
  #tables = 0
  /** Bytes of tables, vectors and strings visited. Honest encoders never share them, so the sum fits the buffer. */
  #content = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#size = bytes.byteLength
  }

  /** @param at position of the offset that leads to the table */
  table(layout: TableLayout, at: number, depth: number, parent: Place | undefined): void {
    const here: Place = { parent, name: layout.name }
    if (depth > MAX_DEPTH) throw malformed(here, `nested deeper than ${MAX_DEPTH}`)
    if (++this.#tables > MAX_TABLES) throw malformed(here, `more than ${MAX_TABLES} tables`)
    const view = this.#view
    const table = this.#follow(at, here)
    const vtable = table - view.getInt32(table, true)
    if (vtable < 0 || (vtable & 1) !== 0 || vtable > this.#size - 4)
      throw malformed(here, 'vtable out of range')
    const vtableBytes = view.getUint16(vtable, true)
    const tableBytes = view.getUint16(vtable + 2, true)
    if (vtableBytes < 4 || (vtableBytes & 1) !== 0 || vtable + vtableBytes > this.#size)
      throw malformed(here, 'vtable size out of range')
    if (tableBytes < 4 || table + tableBytes > this.#size) throw malformed(here, 'table size out of range')
    this.#spend(tableBytes, here)
    const { fields } = layout
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!
      const offset = field.slot < vtableBytes ? view.getUint16(vtable + field.slot, true) : 0
      if (offset !== 0) this.#field(field, table, offset, tableBytes, depth, here)
      else if (field.required) throw malformed({ parent: here, name: field.name }, 'required, but absent')
    }
  }

  #field(
    field: FieldLayout,
    table: number,
    offset: number,
    tableBytes: number,
    depth: number,
    here: Place
  ): void {
    const width = WIDTHS[field.type]
    const at = table + offset
    if (offset < 4 || offset + width > tableBytes) throw malformed(place(here, field), 'outside its table')
    if (at % width !== 0) throw malformed(place(here, field), 'not aligned')
    switch (field.type) {
      case 'u8':
      case 'u16':
      case 'u32':
      case 'i32':
        return
      case 'bool':
        if (this.#bytes[at]! > 1) throw malformed(place(here, field), 'neither false nor true')
        return
      case 'enum':
        if (this.#bytes[at]! >= field.enumSize) throw malformed(place(here, field), 'not a value of its enum')
        return
      case 'u64':
        if (this.#view.getUint32(at + 4, true) >= UNSAFE_HIGH_WORD)
          throw malformed(place(here, field), 'above 2^53 - 1')
        return
      case 'string':
        this.#string(at, field.min, field.max, place(here, field))
        return
      case 'table':
        this.table(field.table!, at, depth + 1, place(here, field))
        return
      default:
        this.#vector(field, at, depth, place(here, field))
    }
  }

  #vector(field: FieldLayout, at: number, depth: number, here: Place): void {
    const width = field.type === 'bytes' || field.type === 'enums' ? 1 : 4
    const start = this.#follow(at, here)
    const count = this.#view.getUint32(start, true)
    if (count < field.min || count > field.max)
      throw malformed(here, lengthFault(count, field.min, field.max))
    const first = start + 4
    if (first + count * width > this.#size) throw malformed(here, 'runs past the end')
    this.#spend(4 + count * width, here)
    if (field.type === 'enums') {
      for (let i = 0; i < count; i++)
        if (this.#bytes[first + i]! >= field.enumSize)
          throw malformed(item(here, i), 'not a value of its enum')
    } else if (field.type === 'strings') {
      for (let i = 0; i < count; i++) this.#string(first + 4 * i, 0, field.elementMax, item(here, i))
    } else if (field.type === 'tables') {
      for (let i = 0; i < count; i++) this.table(field.table!, first + 4 * i, depth + 1, item(here, i))
    }
  }

  #string(at: number, min: number, max: number, here: Place): void {
    const start = this.#follow(at, here)
    const length = this.#view.getUint32(start, true)
    if (length < min || length > max) throw malformed(here, lengthFault(length, min, max))
    const first = start + 4
    const end = first + length
    if (end >= this.#size) throw malformed(here, 'runs past the end')
    this.#spend(5 + length, here)
    const bytes = this.#bytes
    if (bytes[end] !== 0) throw malformed(here, 'not closed by NUL')
    let ascii = true
    for (let i = first; i < end; i++) {
      const byte = bytes[i]!
      if (byte === 0) throw malformed(here, 'contains NUL')
      if (byte > 0x7f) ascii = false
    }
    if (!ascii && !isUtf8(bytes.subarray(first, end))) throw malformed(here, 'not UTF-8')
  }

  /** The position an unsigned offset leads to: always forward, so that nothing can be circular. */
  #follow(at: number, here: Place): number {
    const offset = this.#view.getUint32(at, true)
    const target = at + offset
    if (offset < 4 || target > this.#size - 4) throw malformed(here, 'offset out of range')
    if ((target & 3) !== 0) throw malformed(here, 'not aligned')
    return target
  }

  #spend(count: number, here: Place): void {
    this.#content += count
    if (this.#content > this.#size) throw malformed(here, 'parts overlap')
  }
}

/** Bytes of a field inside its table; vectors, strings and tables are offsets there. */
const WIDTHS: Record<FieldLayout['type'], number> = {
  bool: 1,
  u8: 1,
  u16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  enum: 1,
  string: 4,
  bytes: 4,
  table: 4,
  u32s: 4,
  enums: 4,
  strings: 4,
  tables: 4
}

function place(parent: Place, { name }: FieldLayout): Place {
  return { parent, name }
}

function item(parent: Place, index: number): Place {
  return { parent, name: String(index) }
}

function lengthFault(got: number, min: number, max: number): string {
  return `length ${got}, expected ${min === max ? `exactly ${max}` : `at most ${max}`}`
}

function malformed(at: Place | string, fault: string): EnvelopeError {
  const names: string[] = []
  for (let here = typeof at === 'string' ? undefined : at; here !== undefined; here = here.parent)
    names.unshift(here.name)
  const path = typeof at === 'string' ? at : names.join('.')
  return new EnvelopeError('MESSAGE_MALFORMED', `${path}: ${fault}`, { details: { path, fault } })
}
