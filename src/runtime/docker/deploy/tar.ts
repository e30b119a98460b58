const BLOCK_BYTES = 512

export interface TarEntry {
  readonly path: string
  readonly mode: number
  readonly uid?: number
  readonly gid?: number
  /** Undefined: a directory. */
  readonly content?: Uint8Array
}

/** A tar archive (POSIX ustar) of small things with short names, for Docker to unpack. */
export function toTar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap(({ path, mode, uid = 0, gid = 0, content }) => {
    const header = Buffer.alloc(BLOCK_BYTES)
    const octal = (value: number, offset: number, length: number) =>
      header.write(value.toString(8).padStart(length - 1, '0'), offset)
    header.write(content === undefined ? `${path}/` : path, 0, 100)
    octal(mode, 100, 8)
    octal(uid, 108, 8)
    octal(gid, 116, 8)
    octal(content?.length ?? 0, 124, 12)
    octal(0, 136, 12)
    header.write(`        ${content === undefined ? '5' : '0'}`, 148)
    header.write('ustar\0' + '00', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    const padding = Buffer.alloc((BLOCK_BYTES - ((content?.length ?? 0) % BLOCK_BYTES)) % BLOCK_BYTES)
    return [header, content ?? Buffer.alloc(0), padding]
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)])
}
