/** FlatBuffers packed and read by hand, as docs/PROTOCOL.md section 5 describes them. Imports nothing of ours. */

type Size = 1 | 2 | 4 | 8
export type Field =
  | undefined
  | { readonly size: Size; readonly value: number }
  | { readonly bytes: Uint8Array }
  | { readonly text: string }
  | { readonly tables: readonly (readonly Field[])[] }
  | { readonly texts: readonly string[] }

export const join = (...parts: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part)))

export const number = (size: Size, value: number): Field => ({ size, value })

export function u32le(value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32LE(value)
  return out
}

/** A whole buffer: every field takes 8 bytes of its table, children follow behind, so all offsets lead forward. */
export function pack(identifier: string, fields: readonly Field[]): Buffer {
  const out = new Writer()
  out.append(join(u32le(0), identifier))
  out.point(0, out.table(fields))
  return out.bytes
}

class Writer {
  bytes: Buffer = Buffer.alloc(0)

  append(bytes: Uint8Array): number {
    const at = this.bytes.length
    this.bytes = join(this.bytes, bytes)
    return at
  }

  align(to: number, shift = 0): void {
    while ((this.bytes.length + shift) % to !== 0) this.append(Uint8Array.of(0))
  }

  point(from: number, to: number): void {
    this.bytes.writeUInt32LE(to - from, from)
  }

  table(fields: readonly Field[]): number {
    const vtableBytes = 4 + 2 * fields.length
    this.align(8, vtableBytes)
    const vtable = this.append(Buffer.alloc(vtableBytes))
    const at = this.append(Buffer.alloc(8 + 8 * fields.length))
    this.bytes.writeUInt16LE(vtableBytes, vtable)
    this.bytes.writeUInt16LE(8 + 8 * fields.length, vtable + 2)
    this.bytes.writeInt32LE(at - vtable, at)
    for (const [index, field] of fields.entries()) {
      if (field === undefined) continue
      const offset = 8 + 8 * index
      this.bytes.writeUInt16LE(offset, vtable + 4 + 2 * index)
      if (!('size' in field)) this.point(at + offset, this.child(field))
      else if (field.size === 8) this.bytes.writeBigUInt64LE(BigInt(field.value), at + offset)
      else this.bytes.writeUIntLE(field.value, at + offset, field.size)
    }
    return at
  }

  child(field: Exclude<Field, undefined | { size: unknown }>): number {
    this.align(4)
    if ('bytes' in field) return this.append(join(u32le(field.bytes.length), field.bytes))
    if ('text' in field) return this.append(join(u32le(Buffer.byteLength(field.text)), field.text, '\0'))
    const items = 'texts' in field ? field.texts : field.tables
    const at = this.append(join(u32le(items.length), Buffer.alloc(4 * items.length)))
    for (const [index, item] of items.entries())
      this.point(at + 4 + 4 * index, typeof item === 'string' ? this.child({ text: item }) : this.table(item))
    return at
  }
}

/** A table of a buffer that somebody trusted made: this reader is no verifier. */
export class Table {
  readonly #buffer: Buffer
  readonly #at: number

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer
    this.#at = at
  }

  static root(bytes: Uint8Array, identifier: string): Table {
    const buffer = Buffer.from(bytes)
    const found = buffer.toString('latin1', 4, 8)
    if (found !== identifier) throw new Error(`expected ${identifier}, got ${found}`)
    return new Table(buffer, buffer.readUInt32LE(0))
  }

  #field(index: number): number | undefined {
    const vtable = this.#at - this.#buffer.readInt32LE(this.#at)
    const slot = 4 + 2 * index
    const offset = slot < this.#buffer.readUInt16LE(vtable) ? this.#buffer.readUInt16LE(vtable + slot) : 0
    return offset === 0 ? undefined : this.#at + offset
  }

  number(index: number, size: Size): number {
    const at = this.#field(index)
    if (at === undefined) return 0
    return size === 8 ? Number(this.#buffer.readBigUInt64LE(at)) : this.#buffer.readUIntLE(at, size)
  }

  bytes(index: number): Buffer {
    const at = this.#field(index)
    if (at === undefined) return Buffer.alloc(0)
    const start = at + this.#buffer.readUInt32LE(at)
    return this.#buffer.subarray(start + 4, start + 4 + this.#buffer.readUInt32LE(start))
  }

  text(index: number): string {
    return this.bytes(index).toString('utf8')
  }
}
